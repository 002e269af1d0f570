// Who takes a lowest-priority message.
import {
  acknowledge,
  apics,
  flat,
  irrOnly,
  LOWEST,
  message,
  physical,
  REG,
  sdm,
  topic,
  write,
  x2apic,
  x2ipi,
} from './helpers.mjs';

const SOURCE = `${sdm('Lowest Priority Delivery Mode')}; KVM kvm_apic_map_get_dest_lapic(); QEMU apic_bus_deliver()`;
const to = (mda, vector) => message(mda, vector, { logical: true, delivery: LOWEST });
const tprs = (...values) => values.map((value, cpu) => write(cpu, REG.tpr, value));

export default topic('lowest', 'Lowest priority: who takes it', (add) => {
  // [TPRs, lowest TPR class first CPU, highest id of the lowest APR]
  for (const [name, values, byTpr, byApr] of [
    ['equal', [0, 0, 0], 0, 2],
    ['middle', [0x50, 0x20, 0x50], 1, 1],
    ['last', [0x50, 0x40, 0x10], 2, 2],
    ['same-class', [0x21, 0x2f, 0x30], 0, 0],
  ]) {
    // Places of mask 7, hashed by vector 0x31 = 49: 49 mod 3 = 1.
    add(
      `tpr-${name}`,
      `TPRs ${values.map((v) => v.toString(16)).join(', ')}: CPU ${byTpr} by the lowest TPR class, others by other rules.`,
      {
        source: SOURCE,
        config: flat(3),
        given: tprs(...values),
        when: [[to(7, 0x31), 1]],
        state: irrOnly(3, [byTpr], 0x31),
        models: {
          amd: irrOnly(3, [byApr], 0x31),
          kvm: irrOnly(3, [1], 0x31),
          qemu: irrOnly(3, [0], 0x31),
          p6: irrOnly(3, [byApr], 0x31),
        },
      },
    );
  }
  for (const vector of [0x30, 0x31, 0x32, 0x33]) {
    const place = [0, 2, 3][vector % 3];
    add(
      `hash-${vector.toString(16)}`,
      `KVM hashes vector 0x${vector.toString(16)} over the three bits of mask 0x0D: place ${place}.`,
      {
        source: 'KVM kvm_apic_map_get_dest_lapic(), kvm_vector_to_index()',
        config: flat(4),
        when: [[to(0x0d, vector), 1]],
        state: irrOnly(4, [place], vector),
        only: ['kvm'],
      },
    );
  }
  add(
    'hash-empty-place',
    'KVM drops a lowest-priority interrupt that hashes to a bit where no local APIC is.',
    {
      source: 'KVM kvm_apic_map_get_dest_lapic()',
      config: flat(2),
      when: [[to(0x83, 0x32), 0]],
      state: irrOnly(2, [], 0x32),
      only: ['kvm'],
    },
  );
  add('disabled-not-chosen', 'A software-disabled local APIC does not take part.', {
    source: SOURCE,
    config: flat(2),
    given: [write(0, REG.svr, 0xff)],
    when: [[to(3, 0x31), 1]],
    state: irrOnly(2, [1], 0x31),
    models: { qemu: irrOnly(2, [0], 0x31) },
  });
  const pendingAt = (...cpus) =>
    apics(...[0, 1, 2].map((cpu) => ({ irr: cpus.includes(cpu) ? [0x31] : [] })));
  add(
    'focus',
    'The focus processor, which has the vector pending, takes it whatever its priority (P6, AMD).',
    {
      source: SOURCE,
      config: flat(3),
      given: [...tprs(0x80, 0, 0), message(1, 0x31, { logical: true })],
      when: [[to(7, 0x31), 1, { 'p6-vector': 0 }]],
      state: pendingAt(0, 1),
      models: { amd: pendingAt(0), qemu: pendingAt(0), p6: pendingAt(0) },
    },
  );
  add('focus-in-service', 'A processor that serves the vector is the focus processor (P6, AMD).', {
    source: SOURCE,
    config: flat(3),
    given: [message(2, 0x31, { logical: true }), acknowledge(1)],
    when: [[to(7, 0x31), 1]],
    state: irrOnly(3, [0], 0x31),
    models: {
      amd: irrOnly(3, [1], 0x31),
      kvm: irrOnly(3, [1], 0x31),
      p6: irrOnly(3, [1], 0x31),
    },
  });
  add('focus-disabled', 'SVR bit 9 switches focus processor checking off.', {
    source: SOURCE,
    config: flat(3),
    given: [write(1, REG.svr, 0x3ff), message(2, 0x31, { logical: true }), acknowledge(1)],
    when: [[to(5, 0x31), 1]],
    state: irrOnly(3, [2], 0x31),
    only: ['amd', 'p6'],
  });
  add('counted-once', 'It counts as attempted at the one that takes it.', {
    source: SOURCE,
    config: flat(3),
    when: [[to(7, 0x31), 1]],
    state: apics(
      { counters: { attempted: 1 } },
      { counters: { attempted: 0 } },
      { counters: { attempted: 0 } },
    ),
    except: ['amd', 'kvm', 'p6'],
  });
  add(
    'x2apic-icr',
    'Lowest priority in the ICR of x2APIC mode: a redirectable IPI error in the SDM, delivered elsewhere.',
    {
      source: sdm('Error Handling'),
      config: x2apic(2),
      given: [],
      when: [
        x2ipi(0, 1, 0x31, { delivery: LOWEST }),
        { op: 'wrmsr', cpu: 0, msr: 0x828, value: '0' },
      ],
      state: apics({ esr: 0 }, { irr: [0x31] }),
      models: { sdm: apics({ esr: 0x10 }, { irr: [] }) },
      except: ['p6'],
    },
  );
  add('physical', 'To one physical id lowest priority is as fixed.', {
    source: SOURCE,
    config: physical(2),
    when: [[message(1, 0x31, { delivery: LOWEST }), 1]],
    state: irrOnly(2, [1], 0x31),
  });
});
