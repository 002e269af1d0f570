// Fails the build when a record and the memory map disagree.
import * as L from './layout';
import {
  ClassWords,
  ClusterWord,
  Cold,
  Config,
  Devices,
  DirectorySlot,
  Effect,
  Ident,
  IoApic,
  Ledger,
  Lists,
  LogEntry,
  Outcome,
  Pin,
  Row,
  StormState,
} from './records';

if (
  <i32>offsetof<Config>('cpus') != L.H_CPUS - L.H_CPUS ||
  <i32>offsetof<Config>('mode') != L.H_MODE - L.H_CPUS ||
  <i32>offsetof<Config>('driver') != L.H_DRIVER - L.H_CPUS ||
  <i32>offsetof<Config>('era') != L.H_ERA - L.H_CPUS ||
  <i32>offsetof<Config>('flags') != L.H_FLAGS - L.H_CPUS ||
  <i32>offsetof<Config>('maskWords') != L.H_MASK_WORDS - L.H_CPUS ||
  <i32>offsetof<Config>('directoryMask') != L.H_DIRECTORY_MASK - L.H_CPUS ||
  <i32>offsetof<Config>('wideIds') != L.H_WIDE_IDS - L.H_CPUS ||
  <i32>offsetof<Config>('rows') != L.H_ROWS - L.H_CPUS ||
  <i32>offsetof<Config>('cold') != L.H_COLD - L.H_CPUS ||
  <i32>offsetof<Config>('wake') != L.H_WAKE - L.H_CPUS ||
  <i32>offsetof<Config>('ident') != L.H_IDENT - L.H_CPUS ||
  <i32>offsetof<Config>('directory') != L.H_DIRECTORY - L.H_CPUS ||
  <i32>offsetof<Config>('clusters') != L.H_CLUSTERS - L.H_CPUS ||
  <i32>offsetof<Config>('maskArg') != L.H_MASK_ARG - L.H_CPUS ||
  <i32>offsetof<Config>('maskCopy') != L.H_MASK_COPY - L.H_CPUS ||
  <i32>offsetof<Config>('maskOf') != L.H_MASK_OF - L.H_CPUS ||
  <i32>offsetof<Config>('maskOnline') != L.H_MASK_ONLINE - L.H_CPUS ||
  <i32>offsetof<Config>('log') != L.H_LOG - L.H_CPUS ||
  <i32>offsetof<Config>('logCapacity') != L.H_LOG_CAPACITY - L.H_CPUS ||
  <i32>offsetof<Config>('counts') != L.H_COUNTS - L.H_CPUS ||
  <i32>offsetof<Config>('end') != L.H_END - L.H_CPUS ||
  <i32>offsetof<Config>('ioapics') != L.H_IOAPICS - L.H_CPUS ||
  <i32>offsetof<Config>('ioapicCount') != L.H_IOAPIC_COUNT - L.H_CPUS ||
  <i32>offsetof<Config>('effects') != L.H_EFFECTS - L.H_CPUS ||
  <i32>offsetof<Config>('effectCapacity') != L.H_EFFECT_CAPACITY - L.H_CPUS ||
  <i32>offsetof<Config>('handlers') != L.H_HANDLERS - L.H_CPUS ||
  <i32>offsetof<Config>('early') != L.H_EARLY - L.H_CPUS ||
  <i32>offsetof<Config>('timerKhz') != L.H_TIMER_KHZ - L.H_CPUS ||
  <i32>offsetof<Config>('tscKhz') != L.H_TSC_KHZ - L.H_CPUS ||
  <i32>offsetof<Config>('news') != L.H_NEWS - L.H_CPUS
)
  ERROR('Config and layout.ts disagree');

if (
  <i32>offsetof<Lists>('wakeCount') != L.H_WAKE_COUNT - L.H_WAKE_COUNT ||
  <i32>offsetof<Lists>('logging') != L.H_LOGGING - L.H_WAKE_COUNT ||
  <i32>offsetof<Lists>('logCount') != L.H_LOG_COUNT - L.H_WAKE_COUNT ||
  <i32>offsetof<Lists>('audit') != L.H_AUDIT - L.H_WAKE_COUNT
)
  ERROR('Lists and layout.ts disagree');

if (
  <i32>offsetof<Ledger>('sends') != L.L_SENDS - L.L_SENDS ||
  <i32>offsetof<Ledger>('icrWrites') != L.L_ICR_WRITES - L.L_SENDS ||
  <i32>offsetof<Ledger>('icr2Writes') != L.L_ICR2_WRITES - L.L_SENDS ||
  <i32>offsetof<Ledger>('selfIpiWrites') != L.L_SELF_IPI_WRITES - L.L_SENDS ||
  <i32>offsetof<Ledger>('fences') != L.L_FENCES - L.L_SENDS ||
  <i32>offsetof<Ledger>('irqSaves') != L.L_IRQ_SAVES - L.L_SENDS ||
  <i32>offsetof<Ledger>('maskCopies') != L.L_MASK_COPIES - L.L_SENDS ||
  <i32>offsetof<Ledger>('maskWords') != L.L_MASK_WORDS - L.L_SENDS ||
  <i32>offsetof<Ledger>('idlePolls') != L.L_IDLE_POLLS - L.L_SENDS ||
  <i32>offsetof<Ledger>('hypercalls') != L.L_HYPERCALLS - L.L_SENDS ||
  <i32>offsetof<Ledger>('unclaimed') != L.L_UNCLAIMED - L.L_SENDS
)
  ERROR('Ledger and layout.ts disagree');

if (
  <i32>offsetof<StormState>('index') != L.S_INDEX - L.S_INDEX ||
  <i32>offsetof<StormState>('seed') != L.S_SEED - L.S_INDEX ||
  <i32>offsetof<StormState>('pattern') != L.S_PATTERN - L.S_INDEX ||
  <i32>offsetof<StormState>('via') != L.S_VIA - L.S_INDEX ||
  <i32>offsetof<StormState>('depth') != L.S_DEPTH - L.S_INDEX ||
  <i32>offsetof<StormState>('waiting') != L.S_WAITING - L.S_INDEX ||
  <i32>offsetof<StormState>('vectorCount') != L.S_VECTOR_COUNT - L.S_INDEX ||
  <i32>offsetof<StormState>('vectorNext') != L.S_VECTOR_NEXT - L.S_INDEX ||
  <i32>offsetof<StormState>('sourceNext') != L.S_SOURCE_NEXT - L.S_INDEX ||
  <i32>offsetof<StormState>('target') != L.S_TARGET - L.S_INDEX ||
  <i32>offsetof<StormState>('size') != L.S_SIZE - L.S_INDEX ||
  <i32>offsetof<StormState>('stride') != L.S_STRIDE - L.S_INDEX
)
  ERROR('StormState and layout.ts disagree');

if (
  <i32>offsetof<Devices>('now') != L.H_NOW - L.H_NOW ||
  <i32>offsetof<Devices>('odd') != L.H_ODD - L.H_NOW ||
  <i32>offsetof<Devices>('slowModel') != L.H_SLOW_MODEL - L.H_NOW ||
  <i32>offsetof<Devices>('busMessages') != L.H_BUS_MESSAGES - L.H_NOW ||
  <i32>offsetof<Devices>('busRetries') != L.H_BUS_RETRIES - L.H_NOW ||
  <i32>offsetof<Devices>('busClocks') != L.H_BUS_CLOCKS - L.H_NOW ||
  <i32>offsetof<Devices>('busWaiting') != L.H_BUS_WAITING - L.H_NOW ||
  <i32>offsetof<Devices>('braked') != L.H_BRAKED - L.H_NOW ||
  <i32>offsetof<Devices>('timers') != L.H_TIMERS - L.H_NOW
)
  ERROR('Devices and layout.ts disagree');

if (
  <i32>offsetof<Outcome>('result') != L.H_RESULT - L.H_RESULT ||
  <i32>offsetof<Outcome>('trace') != L.H_TRACE - L.H_RESULT ||
  <i32>offsetof<Outcome>('effectCount') != L.H_EFFECT_COUNT - L.H_RESULT
)
  ERROR('Outcome and layout.ts disagree');

if (
  <i32>offsetof<Row>('classes') != L.R_CLASSES ||
  <i32>offsetof<Row>('hash') != L.R_HASH ||
  <i32>offsetof<Row>('attempted') != L.R_ATTEMPTED ||
  <i32>offsetof<Row>('delivered') != L.R_DELIVERED ||
  <i32>offsetof<Row>('eois') != L.R_EOIS ||
  <i32>offsetof<Row>('coalesced') != L.R_COALESCED ||
  <i32>offsetof<Row>('rejected') != L.R_REJECTED ||
  <i32>offsetof<Row>('strayEois') != L.R_STRAY_EOIS
)
  ERROR('Row and layout.ts disagree');

if (
  <i32>offsetof<Cold>('nmis') != L.C_NMIS ||
  <i32>offsetof<Cold>('discarded') != L.C_DISCARDED ||
  <i32>offsetof<Cold>('otherEois') != L.C_OTHER_EOIS ||
  <i32>offsetof<Cold>('base') != L.C_BASE ||
  <i32>offsetof<Cold>('deadline') != L.C_DEADLINE ||
  <i32>offsetof<Cold>('expiry') != L.C_EXPIRY ||
  <i32>offsetof<Cold>('svr') != L.C_SVR ||
  <i32>offsetof<Cold>('dfr') != L.C_DFR ||
  <i32>offsetof<Cold>('esr') != L.C_ESR ||
  <i32>offsetof<Cold>('esrPending') != L.C_ESR_PENDING ||
  <i32>offsetof<Cold>('icr') != L.C_ICR ||
  <i32>offsetof<Cold>('icrHigh') != L.C_ICR_HIGH ||
  <i32>offsetof<Cold>('initialCount') != L.C_INITIAL_COUNT ||
  <i32>offsetof<Cold>('divide') != L.C_DIVIDE ||
  <i32>offsetof<Cold>('xapicId') != L.C_XAPIC_ID ||
  <i32>offsetof<Cold>('latch') != L.C_LATCH ||
  <i32>offsetof<Cold>('sipi') != L.C_SIPI ||
  <i32>offsetof<Cold>('dispatched') != L.C_DISPATCHED ||
  <i32>offsetof<Cold>('arb') != L.C_ARB ||
  <i32>offsetof<Cold>('depth') != L.C_DEPTH ||
  <i32>offsetof<Cold>('busDest') != L.C_BUS_DEST ||
  <i32>offsetof<Cold>('busLow') != L.C_BUS_LOW ||
  <i32>offsetof<Cold>('extControl') != L.C_EXT_CONTROL ||
  <i32>offsetof<Cold>('ldr') != L.C_LDR ||
  <i32>offsetof<Cold>('posted') != L.C_POSTED ||
  <i32>offsetof<Cold>('turnedAway') != L.C_TURNED_AWAY ||
  <i32>offsetof<Cold>('icrOther') != L.C_ICR_OTHER ||
  <i32>offsetof<Cold>('fraction') != L.C_FRACTION
)
  ERROR('Cold and layout.ts disagree');

if (
  <i32>offsetof<Ident>('apicId') != L.I_APIC_ID ||
  <i32>offsetof<Ident>('ldr') != L.I_LDR ||
  <i32>offsetof<Ident>('cluster') != L.I_CLUSTER
)
  ERROR('Ident and layout.ts disagree');

if (
  <i32>offsetof<IoApic>('brake') != L.IO_BRAKE ||
  <i32>offsetof<IoApic>('id') != L.IO_ID ||
  <i32>offsetof<IoApic>('select') != L.IO_SELECT ||
  <i32>offsetof<IoApic>('arb') != L.IO_ARB ||
  <i32>offsetof<IoApic>('arbId') != L.IO_ARB_ID
)
  ERROR('IoApic and layout.ts disagree');

if (
  <i32>offsetof<Pin>('entry') != L.PIN_ENTRY ||
  <i32>offsetof<Pin>('line') != L.PIN_LINE ||
  <i32>offsetof<Pin>('served') != L.PIN_SERVED
)
  ERROR('Pin and layout.ts disagree');

if (
  <i32>offsetof<ClusterWord>('bits') != L.W_BITS ||
  <i32>offsetof<ClusterWord>('index') != L.W_INDEX ||
  <i32>offsetof<ClusterWord>('used') != L.W_USED
)
  ERROR('ClusterWord and layout.ts disagree');

if (
  <i32>offsetof<Row>('irr0') != L.R_IRR ||
  <i32>offsetof<Row>('isr0') != L.R_ISR ||
  <i32>offsetof<Row>() != L.ROW_BYTES ||
  <i32>offsetof<ClassWords>('irr') != L.R_IRR ||
  <i32>offsetof<ClassWords>('isr') != L.R_ISR
)
  ERROR('the sets of vectors of Row and layout.ts disagree');

if (
  <i32>offsetof<Cold>('tmr0') != L.C_TMR ||
  <i32>offsetof<Cold>('lvtTimer') != L.C_LVT ||
  <i32>offsetof<Cold>('ier0') != L.C_IER ||
  <i32>offsetof<Cold>('extLvt0') != L.C_EXT_LVT ||
  <i32>offsetof<Cold>('pir0') != L.C_PIR ||
  <i32>offsetof<Cold>() != L.C_USED ||
  L.C_USED > L.COLD_BYTES
)
  ERROR('the arrays of Cold and layout.ts disagree');

if (
  <i32>offsetof<LogEntry>() != L.LOG_BYTES ||
  <i32>offsetof<Effect>() != L.LOG_BYTES ||
  <i32>offsetof<DirectorySlot>() != 1 << L.SLOT_SHIFT
)
  ERROR('the entries of logs, effects or the directory and layout.ts disagree');
