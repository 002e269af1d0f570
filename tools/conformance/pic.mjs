// The pair of 8259s and ExtINT.
import {
  apics,
  entry,
  flat,
  picIrq,
  picRead,
  picSetup,
  picWrite,
  REG,
  take,
  topic,
  write,
} from './helpers.mjs';

const SHEET = '8259A data sheet';
const wire = write(0, REG.lint0, 0x700);
const pics = (primary, secondary = {}) => ({ pics: { 0: primary, 1: secondary } });

export default topic('pic', '8259: virtual wire, spurious, EOI, auto-EOI', (add) => {
  for (const line of [0, 1, 3, 7]) {
    add(
      `line-${line}`,
      `IRQ${line} arrives as ExtINT with vector ${0x20 + line}, in service at the 8259, not at the APIC.`,
      {
        source: `${SHEET}; SDM 3A "Local Vector Table"`,
        config: flat(1),
        given: [picSetup(), wire],
        when: [picIrq(line, true), [take(0), `extint ${0x20 + line}`]],
        state: { ...apics({ irr: [], isr: [] }), ...pics({ isr: 1 << line, irr: 0 }) },
      },
    );
  }
  for (const line of [8, 12, 15]) {
    add(`line-${line}`, `IRQ${line} comes through the cascade: in service at both chips.`, {
      source: SHEET,
      config: flat(1),
      given: [picSetup(), wire],
      when: [picIrq(line, true), [take(0), `extint ${0x20 + line}`]],
      state: pics({ isr: 4 }, { isr: 1 << (line - 8) }),
    });
  }
  add(
    'spurious-7',
    'A request that goes before its INTA is a spurious IRQ7; nothing enters service.',
    {
      source: SHEET,
      config: flat(1),
      given: [
        picSetup(),
        write(0, REG.lint0, 0x700),
        { op: 'lint', cpu: 0, pin: 0, high: true },
        picIrq(3, true),
        picIrq(3, false),
      ],
      when: [[take(0), 'extint 39']],
      state: pics({ isr: 0, irr: 0 }),
    },
  );
  add('priority', 'The lower line goes first, and a higher one does not interrupt it.', {
    source: SHEET,
    config: flat(1),
    given: [picSetup(), wire, picIrq(3, true), picIrq(1, true)],
    when: [[take(0), 'extint 33']],
    state: { pic_output: false },
  });
  add('eoi', 'A non-specific EOI ends the line in service with the highest priority.', {
    source: SHEET,
    config: flat(1),
    given: [
      picSetup(),
      wire,
      picIrq(3, true),
      take(0),
      picIrq(1, true),
      { op: 'set_if', cpu: 0, value: true },
      take(0),
    ],
    when: [picWrite(0x20, 0x20)],
    state: pics({ isr: 8 }),
  });
  add('specific-eoi', 'A specific EOI ends the line that it names.', {
    source: SHEET,
    config: flat(1),
    given: [
      picSetup(),
      wire,
      picIrq(3, true),
      take(0),
      picIrq(1, true),
      { op: 'set_if', cpu: 0, value: true },
      take(0),
    ],
    when: [picWrite(0x20, 0x63)],
    state: pics({ isr: 2 }),
  });
  add('auto-eoi', 'With auto-EOI nothing stays in service.', {
    source: SHEET,
    config: flat(1),
    given: [picSetup({ icw4: 3 }), wire],
    when: [picIrq(0, true), [take(0), 'extint 32']],
    state: pics({ isr: 0, irr: 0 }),
  });
  add('mask', 'A masked line makes no request; its IRR bit is kept.', {
    source: SHEET,
    config: flat(1),
    given: [picSetup({ primaryMask: 0x02 }), wire],
    when: [picIrq(1, true)],
    state: { pic_output: false, ...pics({ irr: 2, imr: 2 }) },
  });
  add('read', 'OCW3 chooses whether a read shows IRR or ISR.', {
    source: SHEET,
    config: flat(1),
    given: [picSetup(), wire, picIrq(1, true), take(0), picIrq(4, true)],
    when: [
      picWrite(0x20, 0x0a),
      [picRead(0x20), 0x10],
      picWrite(0x20, 0x0b),
      [picRead(0x20), 0x02],
    ],
  });
  add('poll', 'A poll acknowledges by software.', {
    source: SHEET,
    config: flat(1),
    given: [picSetup(), picIrq(5, true), picWrite(0x20, 0x0c)],
    when: [[picRead(0x20), 0x85]],
    state: pics({ isr: 0x20 }),
  });
  add('rotate', 'Rotation on EOI gives the served line the lowest priority.', {
    source: SHEET,
    config: flat(1),
    given: [
      picSetup(),
      wire,
      picIrq(0, true),
      take(0),
      picWrite(0x20, 0xa0),
      picIrq(0, false),
      picIrq(0, true),
      picIrq(6, true),
      { op: 'set_if', cpu: 0, value: true },
    ],
    when: [[take(0), 'extint 38']],
  });
  add('elcr-level', 'A line that ELCR makes level asks again until it falls.', {
    source: 'ICH data sheet, ELCR; 8259A data sheet',
    config: flat(1),
    given: [picSetup(), wire, picWrite(0x4d0, 0x20), picIrq(5, true), take(0)],
    when: [picWrite(0x20, 0x20)],
    state: { pic_output: true, ...pics({ irr: 0x20, isr: 0 }) },
  });
  add('edge-once', 'An edge line asks once for each rise.', {
    source: SHEET,
    config: flat(1),
    given: [picSetup(), wire, picIrq(5, true), take(0)],
    when: [picWrite(0x20, 0x20)],
    state: { pic_output: false, ...pics({ irr: 0, isr: 0 }) },
  });
  add(
    'ioapic-extint',
    'An ExtINT entry at pin 0 of the I/O APIC takes the 8259 to the CPU that it names.',
    {
      source: '82093AA data sheet; 8259A data sheet',
      config: flat(2),
      given: [picSetup(), entry(0, 0x700, 1)],
      when: [picIrq(0, true), [take(1), 'extint 32']],
      state: apics({ extint: false }, { extint: false }),
    },
  );
  add('masked-lint', 'With LINT0 masked the 8259 reaches nobody.', {
    source: 'SDM 3A "Local Vector Table"; 8259A data sheet',
    config: flat(1),
    given: [picSetup(), write(0, REG.lint0, 0x10700)],
    when: [picIrq(0, true), [take(0), 'none']],
    state: { pic_output: true },
  });
});
