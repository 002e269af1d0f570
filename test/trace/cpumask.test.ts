import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatList } from '../../src/cli/numbers.js';
import {
  parseByteArrayMask,
  parseCpuList,
  parseHexMask,
  parseMask,
} from '../../src/trace/cpumask.js';

describe('cpumask texts', () => {
  it('hex groups are 32 bits, most significant first, at every word border', () => {
    for (const cpu of [0, 3, 31, 32, 33, 63, 64, 95, 127, 128]) {
      const groups = Array.from({ length: 5 }, (_, g) =>
        g === cpu >> 5 ? (1 << (cpu & 31)) >>> 0 : 0,
      );
      const text = groups
        .reverse()
        .map((g) => g.toString(16).padStart(8, '0'))
        .join(',');
      expect(parseHexMask(text)).toEqual([cpu]);
    }
    expect(parseHexMask('e')).toEqual([1, 2, 3]);
    expect(parseHexMask('3,ffffffff')).toHaveLength(34);
    expect(() => parseHexMask('xyz')).toThrow(/hex groups/);
  });

  it('lists have numbers and ascending ranges', () => {
    expect(parseCpuList('0-1,3,78-79')).toEqual([0, 1, 3, 78, 79]);
    expect(parseCpuList('')).toEqual([]);
    for (const bad of ['3-1', '3,3', '5,4', '1-', 'a', '1,,2', '65536', '0-65536'])
      expect(() => parseCpuList(bad), bad).toThrow(RangeError);
  });

  it('any set of CPUs survives as a list and as hex groups', () => {
    const cpus = fc
      .uniqueArray(fc.integer({ min: 0, max: 4095 }))
      .map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(cpus, (list) => {
        const mask = list.reduce((bits, cpu) => bits | (1n << BigInt(cpu)), 0n);
        const groups = mask.toString(16).padStart(1024, '0').match(/.{8}/g)!.join(',');
        expect(parseCpuList(formatList(list))).toEqual(list);
        expect(parseHexMask(groups)).toEqual(list);
      }),
    );
  });

  it('byte arrays of old libtraceevent are least significant first', () => {
    expect(parseByteArrayMask('ARRAY[02, 00, 81]')).toEqual([1, 16, 23]);
  });

  it('a CPU number has fewer than 8 digits, a word of hex has 8: the form can be told', () => {
    expect(parseMask('1,3')).toEqual([1, 3]);
    expect(parseMask('10')).toEqual([10]);
    expect(parseMask('2-4,7')).toEqual([2, 3, 4, 7]);
    expect(parseMask('')).toEqual([]);
    expect(parseMask('00000010')).toEqual([4]);
    expect(parseMask('00000000,0000000e')).toEqual([1, 2, 3]);
    expect(parseMask('3,ffffffff')).toHaveLength(34);
    expect(parseMask('c')).toEqual([2, 3]);
    expect(parseMask('006')).toEqual([1, 2]);
    expect(parseMask('0e,00,00,00,00,00,00,80')).toEqual([1, 2, 3, 63]);
    expect(parseMask('10,11,12,13')).toEqual([10, 11, 12, 13]);
    expect(parseMask('ARRAY[0c, 00, 00, 00, 00, 00, 00, 00]')).toEqual([2, 3]);
    expect(parseMask(`${'00000000,'.repeat(2047)}00000001`)).toEqual([0]);
    for (const bad of [
      '1-x',
      'ARRAY[zz]',
      'ARRAY[0c',
      '65536',
      '00000001,1',
      '-3',
      '4-2',
      '3,3',
      '6,5',
      '1-4,4',
    ])
      expect(() => parseMask(bad), bad).toThrow(RangeError);
  });
});
