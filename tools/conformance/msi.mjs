// Message signalled interrupts.
import { apics, flat, irrOnly, msi, sdm, topic } from './helpers.mjs';

const MSI = sdm('Message Signalled Interrupts');
const at = (dest, bits = 0) => 0xfee00000 + dest * 0x1000 + bits;

export default topic('msi', 'Message signalled interrupts', (add) => {
  add('physical', 'Address bits 19:12 name a physical id.', {
    source: MSI,
    config: flat(3),
    when: [[msi(at(1), 0x31), 1]],
    state: irrOnly(3, [1], 0x31),
  });
  add('broadcast', 'Destination 0xFF reaches all.', {
    source: MSI,
    config: flat(3),
    when: [[msi(at(0xff), 0x31), 3]],
    state: irrOnly(3, [0, 1, 2], 0x31),
  });
  add(
    'logical-with-hint',
    'With redirection hint and logical mode one of the addressed takes it.',
    {
      source: MSI,
      config: flat(2),
      when: [[msi(at(2, 12), 0x31), 1]],
      state: irrOnly(2, [1], 0x31),
    },
  );
  add('logical-without-hint', 'Without the hint the mode bit is ignored; KVM and QEMU honour it.', {
    source: MSI,
    config: flat(3),
    when: [[msi(at(2, 4), 0x31), 1]],
    state: irrOnly(3, [2], 0x31),
    models: { kvm: irrOnly(3, [1], 0x31), qemu: irrOnly(3, [1], 0x31) },
  });
  add(
    'hint-chooses-one',
    'The hint makes a fixed message for several one for the lowest priority.',
    {
      source: MSI,
      config: flat(3),
      when: [[msi(at(7, 12), 0x31), 1, { qemu: 3 }]],
      state: irrOnly(3, [0], 0x31),
      models: {
        amd: irrOnly(3, [2], 0x31),
        kvm: irrOnly(3, [1], 0x31),
        qemu: irrOnly(3, [0, 1, 2], 0x31),
        p6: irrOnly(3, [2], 0x31),
      },
    },
  );
  add('edge', 'Data bit 15 clear is edge.', {
    source: MSI,
    config: flat(1),
    when: [[msi(at(0), 0x31), 1]],
    state: apics({ irr: [0x31], tmr: [] }),
  });
  add('level', 'Data bits 15 and 14 set are level: TMR.', {
    source: MSI,
    config: flat(1),
    when: [[msi(at(0), 0xc031), 1]],
    state: apics({ irr: [0x31], tmr: [0x31] }),
  });
  add('level-deassert', 'A level de-assert message delivers nothing; KVM and QEMU deliver it.', {
    source: MSI,
    config: flat(1),
    when: [[msi(at(0), 0x8031), 0, { kvm: 1, qemu: 1 }]],
    state: apics({ irr: [] }),
    models: { kvm: apics({ irr: [0x31] }), qemu: apics({ irr: [0x31] }) },
  });
  add('nmi', 'Delivery mode 4 is NMI.', {
    source: MSI,
    config: flat(1),
    when: [[msi(at(0), 0x400), 1]],
    state: apics({ nmi: true, irr: [] }),
  });
  add('elsewhere', 'An address outside 0xFEExxxxx is no interrupt.', {
    source: MSI,
    config: flat(1),
    when: [[msi(0xfed00000, 0x31), -1]],
    state: apics({ irr: [] }),
  });
});
