// The function that a call runs: it takes its time, and a lock where it needs one.

import { counted, now } from './arena';
import { COST_FUNC, CT_FUNCS, HIST_FUNC, LOG_FUNC_DONE, PROC_FUNC } from './codes';
import { cost } from './costs';
import { call, goOn, pop, wait } from './frame';
import { askFor, release } from './locks';
import { Frame, FuncFrame } from './records-frame';
import { note, record } from './stats';
import { Func } from './steps';

/** Calls the function; the caller goes on at `pc`. `lock`: 1 + the lock that it takes, or 0. */
export function runFunc(caller: Frame, pc: u32, func: u32, lock: u32): void {
  const frame = changetype<FuncFrame>(call(caller, pc, PROC_FUNC, caller.category));
  frame.func = func;
  frame.lock = lock;
}

export function stepFunc(frame: FuncFrame): void {
  const pc = frame.pc;
  const lock = frame.lock;
  if (pc == Func.Ask) {
    frame.begun = now;
    if (lock == 0) return goOn(frame, Func.Done, cost(COST_FUNC + frame.func));
    frame.pc = Func.Locked;
    askFor(lock - 1);
    wait();
  } else if (pc == Func.Locked) goOn(frame, Func.Done, cost(COST_FUNC + frame.func));
  else {
    if (lock != 0) release(lock - 1);
    counted(CT_FUNCS);
    record(HIST_FUNC, now - frame.begun);
    note(LOG_FUNC_DONE, frame.func, 0, 0);
    pop();
  }
}
