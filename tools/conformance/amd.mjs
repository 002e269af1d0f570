// Where AMD differs.
import { apics, flat, MODELS, REG, read, topic, write, wrmsr, x2apic } from './helpers.mjs';

export default topic('amd', 'AMD: arbitration priority, version, reserved bits', (add) => {
  for (const [tpr, apr] of [
    [0x00, 0x00],
    [0x35, 0x35],
    [0xff, 0xff],
  ]) {
    add(
      `apr-${tpr.toString(16)}`,
      `With nothing pending and TPR 0x${tpr.toString(16)} the arbitration priority is the TPR (AMD, P6); later Intel processors have none.`,
      {
        source: 'AMD APM 2 "Arbitration Priority Register"',
        config: flat(1),
        given: [write(0, REG.tpr, tpr)],
        when: [[read(0, REG.apr), 0, { amd: apr, p6: apr }]],
      },
    );
  }
  add('version', 'The version register of AMD says that there is an extended space.', {
    source: 'AMD APM 2 "APIC Version Register"',
    config: flat(1),
    when: [[read(0, REG.version), 0x80050010]],
    only: ['amd'],
  });
  add('icr-bit-12', 'ICR bit 12 must be 0 in x2APIC mode on AMD; Intel ignores it.', {
    source: 'AMD APM 2 "Interrupt Command Register"; KVM __kvm_x2apic_icr_write()',
    config: x2apic(1),
    when: [[wrmsr(0, 0x830, '5031'), 'ok', { amd: 'GP' }]],
    state: apics({ irr: [0x31] }),
    models: { amd: apics({ irr: [] }) },
    only: MODELS.filter((model) => !model.startsWith('p6')),
  });
});
