// Ids and logical ids in each mode.
import {
  apics,
  flat,
  machine,
  message,
  physical,
  REG,
  rdmsr,
  read,
  sdm,
  topic,
  write,
  x2apic,
  x2ipi,
} from './helpers.mjs';

const ID = sdm('Local APIC ID');
const LDR = sdm('Deriving Logical x2APIC ID from the Local x2APIC ID');

export default topic('identity', 'APIC ids and logical ids', (add) => {
  for (const id of [0, 3, 4, 15, 16, 20, 31, 255, 256, 0x12345, 0xfffff]) {
    const ldr = ((id >>> 4) * 0x10000 + 2 ** (id & 15)) >>> 0;
    add(`x2apic-ldr-${id}`, `x2APIC id ${id} has the logical id 0x${ldr.toString(16)}.`, {
      source: LDR,
      config: x2apic([id]),
      when: [
        [rdmsr(0, 0x802), id.toString(16)],
        [rdmsr(0, 0x80d), ldr.toString(16)],
      ],
      except: ['p6'],
    });
    if (id < 16) continue;
    const cluster = (id >>> 4) * 0x10000;
    add(
      `x2apic-logical-${id}`,
      `Logical x2APIC delivery finds id ${id} in cluster ${id >>> 4}, and in no other.`,
      {
        source: sdm('Logical Destination Mode in x2APIC Mode'),
        config: x2apic([0, id]),
        when: [
          x2ipi(0, (cluster + 2 ** (id & 15)) >>> 0, 0x31, { logical: true }),
          x2ipi(0, (cluster + 0x10000 + 2 ** (id & 15)) >>> 0, 0x32, { logical: true }),
        ],
        state: apics({ irr: [] }, { irr: [0x31] }),
        except: ['p6'],
      },
    );
  }
  add(
    'xapic-written',
    'An xAPIC id can be written; messages find the new one, and not the old one.',
    {
      source: ID,
      config: physical(2),
      given: [write(1, REG.id, 0x07000000)],
      when: [
        [read(1, REG.id), 0x07000000],
        [message(7, 0x31), 1],
        [message(1, 0x32), -1, { kvm: 0 }],
      ],
      state: apics({}, { irr: [0x31] }),
    },
  );
  add('xapic-aliased', 'Two local APICs with one id both take a physical message.', {
    source: ID,
    config: physical(3),
    given: [write(2, REG.id, 0x01000000)],
    when: [[message(1, 0x31), 2]],
    state: apics({ irr: [] }, { irr: [0x31] }, { irr: [0x31] }),
  });
  add('xapic-power-on', 'Power-on gives the hardware id back.', {
    source: ID,
    config: physical(2),
    given: [write(1, REG.id, 0x07000000)],
    when: [{ op: 'power_on' }, [read(1, REG.id), 0x01000000]],
  });
  add('p6-id-bits', 'A P6 id has four bits; later ones eight.', {
    source: ID,
    config: physical(1),
    when: [write(0, REG.id, 0xff000000), [read(0, REG.id), 0xff000000, { p6: 0x0f000000 }]],
  });
  add(
    'x2apic-reset-id',
    'A processor whose x2APIC id has more than eight bits wakes in xAPIC mode with the low ones.',
    {
      source: sdm('x2APIC After Reset'),
      config: machine('reset', [0, 0x123]),
      when: [[read(1, REG.id), 0x23000000]],
      except: ['p6'],
    },
  );
  for (const [value, stored] of [
    [0xffffffff, 0xff000000],
    [0x01234567, 0x01000000],
  ]) {
    add(`ldr-${value.toString(16)}`, `LDR keeps bits 31:24 of 0x${value.toString(16)}.`, {
      source: sdm('Logical Destination Mode'),
      config: flat(1),
      when: [write(0, REG.ldr, value), [read(0, REG.ldr), stored]],
    });
  }
  for (const [value, stored] of [
    [0, 0x0fffffff],
    [0xf0000000, 0xffffffff],
    [0x50000000, 0x5fffffff],
  ]) {
    add(
      `dfr-${value.toString(16)}`,
      `DFR keeps bits 31:28 of 0x${value.toString(16)}; the others read 1.`,
      {
        source: sdm('Logical Destination Mode'),
        config: flat(1),
        when: [write(0, REG.dfr, value), [read(0, REG.dfr), stored]],
      },
    );
  }
});
