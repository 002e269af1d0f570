export const enum Task {
  Plan,
  /** The intended time has come. */
  Start,
  /** It has the lock around the operation. */
  Locked,
  Done,
}

export const enum Send {
  Setup,
  Write,
  Done,
}

export const enum Single {
  Setup,
  Queue,
  Ipi,
  Wait,
  Done,
  /** The target is this CPU. */
  Here,
  HereDone,
}

export const enum Many {
  Setup,
  Queue,
  Ipi,
  Here,
  HereDone,
  Wait,
  Done,
  /** linux-4.0's flush_tlb_mm_range(). */
  HereFirst,
  HereFirstDone,
}

export const enum Resched {
  Ask,
  Ipi,
  Done,
}

export const enum Wake {
  Queue,
  Ipi,
  Done,
}

/** Steps that any waiting frame may be in; beyond the steps of all procedures. */
export const enum Stuck {
  Report = 16,
  State,
  Resent,
}

export const enum Handler {
  Begin,
  Eoi,
  Work,
  Exit,
  Leave,
}

export const enum Flush {
  Take,
  /** The function of an entry has run. */
  Next,
}

export const enum Func {
  /** Asks for the lock that the function takes. */
  Ask,
  Locked,
  Done,
}

export const enum Polled {
  Flush,
  Sleep,
}

export const enum IrqsOff {
  Begin,
  End,
}

export const enum Stop {
  Reboot,
  RebootSent,
  /** Some have not stopped in time. */
  Nmi,
  NmiToNext,
  NmiSent,
  Done,
}
