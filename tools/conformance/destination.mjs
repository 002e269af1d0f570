// Who is addressed.
import {
  cluster,
  flat,
  hex2,
  ipi,
  irrOnly,
  message,
  physical,
  REG,
  sdm,
  topic,
  write,
  x2apic,
  x2ipi,
} from './helpers.mjs';

const PHYSICAL = sdm('Physical Destination Mode');
const LOGICAL = sdm('Logical Destination Mode');
const LOGICAL_X2 = sdm('Logical Destination Mode in x2APIC Mode');
const VECTOR = 0x31;
const withUnclaimed = (state, count) => ({ ...state, unclaimed: count });

export default topic('destination', 'Physical and logical destinations', (add) => {
  add('physical', 'A physical id reaches its APIC and no other.', {
    source: PHYSICAL,
    config: physical(4),
    when: ipi(0, 2, VECTOR),
    state: irrOnly(4, [2], VECTOR),
  });
  add('physical-nobody', 'A physical id that nobody has reaches nobody.', {
    source: PHYSICAL,
    config: physical(2),
    when: ipi(0, 9, VECTOR),
    state: withUnclaimed(irrOnly(2, [], VECTOR), 1),
  });
  add('physical-broadcast', 'Physical destination 0xFF reaches every local APIC, the sender too.', {
    source: PHYSICAL,
    config: physical(3),
    when: ipi(0, 0xff, VECTOR),
    state: irrOnly(3, [0, 1, 2], VECTOR),
  });
  add('physical-0f', 'Physical destination 0x0F is an id; on P6 it is the broadcast.', {
    source: PHYSICAL,
    config: physical(3),
    when: ipi(0, 0x0f, VECTOR),
    state: irrOnly(3, [], VECTOR),
    models: { p6: irrOnly(3, [0, 1, 2], VECTOR) },
  });
  for (const mda of [0x01, 0x02, 0x05, 0x0e, 0x0f, 0x10]) {
    const hit = [0, 1, 2, 3].filter((cpu) => (mda >> cpu) & 1);
    add(
      `flat-${hex2(mda)}`,
      `Flat logical destination ${hex2(mda)} reaches ${hit.length ? `CPUs ${hit.join(', ')}` : 'nobody'}.`,
      {
        source: LOGICAL,
        config: flat(4),
        when: ipi(0, mda, VECTOR, { logical: true }),
        state: irrOnly(4, hit, VECTOR),
      },
    );
  }
  add('flat-ones', 'Logical destination 0xFF reaches every local APIC, also one whose LDR is 0.', {
    source: LOGICAL,
    config: flat(3),
    given: [write(2, REG.ldr, 0)],
    when: ipi(0, 0xff, VECTOR, { logical: true }),
    state: irrOnly(3, [0, 1, 2], VECTOR),
    models: { qemu: irrOnly(3, [0, 1], VECTOR) },
  });
  add('flat-two-bits', 'A flat LDR with two bits is found by either.', {
    source: LOGICAL,
    config: flat(3),
    given: [write(2, REG.ldr, 0x30000000)],
    when: [
      [message(0x10, VECTOR, { logical: true }), 1],
      [message(0x20, 0x41, { logical: true }), 1],
    ],
    state: { apics: { 2: { irr: [VECTOR, 0x41] } } },
  });
  for (const [mda, hit] of [
    [0x01, [0]],
    [0x0a, [1, 3]],
    [0x0f, [0, 1, 2, 3]],
    [0x11, [4]],
    [0x1f, [4, 5]],
    [0x21, []],
  ]) {
    add(
      `cluster-${hex2(mda)}`,
      `Cluster destination ${hex2(mda)} reaches ${hit.length ? `CPUs ${hit.join(', ')}` : 'nobody'}.`,
      {
        source: LOGICAL,
        config: cluster(6),
        when: ipi(0, mda, VECTOR, { logical: true }),
        state: irrOnly(6, hit, VECTOR),
      },
    );
  }
  add('cluster-ones', 'Cluster destination 0xFF reaches all clusters.', {
    source: LOGICAL,
    config: cluster(6),
    when: ipi(0, 0xff, VECTOR, { logical: true }),
    state: irrOnly(6, [0, 1, 2, 3, 4, 5], VECTOR),
  });
  add(
    'cluster-f',
    'Cluster 15 with one member bit is a cluster like any other; in QEMU it is every cluster.',
    {
      source: LOGICAL,
      config: cluster(6),
      when: ipi(0, 0xf1, VECTOR, { logical: true }),
      state: irrOnly(6, [], VECTOR),
      models: { qemu: irrOnly(6, [0, 4], VECTOR) },
    },
  );
  add('cluster-f-member', 'A local APIC in cluster 15 is found there.', {
    source: LOGICAL,
    config: cluster(2),
    given: [write(1, REG.ldr, 0xf2000000)],
    when: ipi(0, 0xf2, VECTOR, { logical: true }),
    state: irrOnly(2, [1], VECTOR),
  });
  add(
    'dfr-other',
    'A DFR model that is neither flat nor cluster matches nothing but the broadcast.',
    {
      source: LOGICAL,
      config: flat(2),
      given: [write(1, REG.dfr, 0x50000000)],
      when: [...ipi(0, 2, VECTOR, { logical: true }), ...ipi(0, 0xff, 0x41, { logical: true })],
      state: { apics: { 0: { irr: [0x41] }, 1: { irr: [0x41] } } },
      models: { qemu: { apics: { 1: { irr: [] } } } },
    },
  );
  add('x2-physical-broadcast', 'Physical destination 0xFFFFFFFF reaches every x2APIC.', {
    source: PHYSICAL,
    config: x2apic([0, 20, 300]),
    when: [x2ipi(0, 0xffffffff, VECTOR)],
    state: irrOnly(3, [0, 1, 2], VECTOR),
    except: ['p6'],
  });
  add('x2-physical-ff', 'In x2APIC mode physical 0xFF is the id 255, no broadcast.', {
    source: PHYSICAL,
    config: x2apic([0, 1, 255]),
    when: [x2ipi(0, 0xff, VECTOR)],
    state: irrOnly(3, [2], VECTOR),
    except: ['p6'],
  });
  for (const [dest, hit] of [
    [0x00000003, [0, 1]],
    [0x00010001, [2]],
    [0x0001ffff, [2, 3]],
    [0x0000ffff, [0, 1]],
    [0x00020001, []],
    [0xffffffff, [0, 1, 2, 3]],
  ]) {
    add(
      `x2-logical-${dest.toString(16)}`,
      `x2APIC logical destination 0x${dest.toString(16)} of ids 0, 1, 16, 20 reaches ${hit.length ? `CPUs ${hit.join(', ')}` : 'nobody'}.`,
      {
        source: LOGICAL_X2,
        config: x2apic([0, 1, 16, 20]),
        when: [x2ipi(0, dest, VECTOR, { logical: true })],
        state: irrOnly(4, hit, VECTOR),
        except: ['p6'],
      },
    );
  }
  add('x2-or-of-clusters', 'The OR of logical ids of two clusters names members of a third.', {
    source: LOGICAL_X2,
    config: x2apic([16, 32, 48]),
    when: [x2ipi(0, 0x00030001, VECTOR, { logical: true })],
    state: irrOnly(3, [2], VECTOR),
    except: ['p6'],
  });
  add(
    'mixed-broadcast',
    'A message to 0xFF reaches those in xAPIC mode; x2APICs only where 0xFF is rewritten (KVM).',
    {
      source: `${PHYSICAL}; KVM kvm_apic_mda()`,
      config: physical(2),
      given: [{ op: 'wrmsr', cpu: 1, msr: 0x1b, value: 'fee00c00' }],
      when: [[message(0xff, VECTOR), 1, { kvm: 2 }]],
      state: irrOnly(2, [0], VECTOR),
      models: { kvm: irrOnly(2, [0, 1], VECTOR) },
      except: ['p6'],
    },
  );
});
