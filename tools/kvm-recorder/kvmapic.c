// Drives the host kernel's in-kernel local APIC (KVM_CREATE_IRQCHIP) without a guest OS, one operation
// a line, and prints `operation -> result`. Needs /dev/kvm. Numbers are hexadecimal.
//
//   N <ncpu>                 create the virtual machine (first line)
//   x <cpu>                  x2APIC mode: sets IA32_APIC_BASE bits 10 and 11
//   b <cpu> <val>            write IA32_APIC_BASE
//   w <cpu> <reg> <val>      WRMSR 0x800+reg (KVM_SET_MSRS), x2APIC mode only
//   r <cpu> <reg>            RDMSR 0x800+reg
//   d <cpu>                  ISR, TMR, IRR and other registers of KVM_GET_LAPIC
//   a <cpu>                  run with interrupts on until one is taken or none is: its vector
//   e <cpu>                  EOI (w cpu b 0)
//   m <addr> <data>          KVM_SIGNAL_MSI, 32-bit address;  M <hi> <addr> <data>
//   W <cpu> <reg> <val>      xAPIC MMIO write, executed by the guest
//   R <cpu> <reg>            xAPIC MMIO read, executed by the guest
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CPUS_MAX 64
#define GDT 0x1000
#define IDT 0x2000
#define STUBS 0x4000   // 256 handlers of 16 bytes
#define CODE 0x10000   // three snippets, see write_code()
#define CODE_ACCEPT 0
#define CODE_STORE 0x100
#define CODE_LOAD 0x200
#define PORT_HANDLER 0x80
#define PORT_NONE 0x81
#define PORT_STORED 0x82
#define PORT_LOADED 0x83
#define RAM_BYTES (1 << 20)
#define APIC_PAGE 0xfee00000
#define IA32_APIC_BASE 0x1b

static int kvm, vm, vcpu[CPUS_MAX];
static struct kvm_run *run[CPUS_MAX];
static uint8_t *ram;
static struct kvm_regs regs_at_exit;

static void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static struct kvm_msrs *one_msr(char *buffer, uint32_t index, uint64_t value) {
  struct kvm_msrs *msrs = (void *)buffer;
  msrs->nmsrs = 1;
  msrs->entries[0].index = index;
  msrs->entries[0].data = value;
  return msrs;
}

// 1 when the kernel accepted the value.
static int set_msr(int cpu, uint32_t index, uint64_t value) {
  char buffer[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)] = {0};
  return ioctl(vcpu[cpu], KVM_SET_MSRS, one_msr(buffer, index, value));
}

static int get_msr(int cpu, uint32_t index, uint64_t *value) {
  char buffer[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)] = {0};
  struct kvm_msrs *msrs = one_msr(buffer, index, 0);
  int got = ioctl(vcpu[cpu], KVM_GET_MSRS, msrs);
  *value = msrs->entries[0].data;
  return got;
}

static void flat_segment(struct kvm_segment *s, int code, int selector) {
  memset(s, 0, sizeof *s);
  s->selector = selector;
  s->limit = 0xffffffff;
  s->type = code ? 11 : 3;
  s->present = s->s = s->db = s->g = 1;
}

// 32-bit protected mode, paging off.
static void protected_mode(int cpu) {
  struct kvm_sregs s;
  if (ioctl(vcpu[cpu], KVM_GET_SREGS, &s)) die("KVM_GET_SREGS");
  flat_segment(&s.cs, 1, 8);
  flat_segment(&s.ds, 0, 16);
  s.es = s.fs = s.gs = s.ss = s.ds;
  s.cr0 = 0x11;
  s.cr3 = s.cr4 = 0;
  s.efer = 0;
  s.idt.base = IDT;
  s.idt.limit = 0x7ff;
  s.gdt.base = GDT;
  s.gdt.limit = 0x1f;
  if (ioctl(vcpu[cpu], KVM_SET_SREGS, &s)) die("KVM_SET_SREGS");
}

// Every handler tells its vector at a port; the snippets tell that they are done.
static void write_code(void) {
  uint64_t *gdt = (void *)(ram + GDT);
  gdt[1] = 0x00cf9b000000ffffull;
  gdt[2] = 0x00cf93000000ffffull;
  for (int i = 0; i < 256; i++) {
    uint32_t handler = STUBS + i * 16;
    uint32_t *gate = (void *)(ram + IDT + i * 8);
    gate[0] = 8 << 16 | (handler & 0xffff);
    gate[1] = (handler & 0xffff0000) | 0x8e00;
    uint8_t stub[] = {0xb0, i, 0xe6, PORT_HANDLER, 0xf4}; // mov al,i; out; hlt
    memcpy(ram + handler, stub, sizeof stub);
  }
  uint8_t accept[] = {0xfb, 0x90, 0x90, 0x90, 0xfa, 0xe6, PORT_NONE, 0xf4}; // sti; 3 nop; cli; out
  uint8_t store[] = {0x89, 0x07, 0xe6, PORT_STORED, 0xf4};                  // mov [edi],eax; out
  uint8_t load[] = {0x8b, 0x07, 0xe6, PORT_LOADED, 0xf4};                   // mov eax,[edi]; out
  memcpy(ram + CODE + CODE_ACCEPT, accept, sizeof accept);
  memcpy(ram + CODE + CODE_STORE, store, sizeof store);
  memcpy(ram + CODE + CODE_LOAD, load, sizeof load);
}

// Runs a snippet: port << 8 | byte of the OUT that ends it, or a negative error.
static int go(int cpu, uint32_t snippet, uint32_t eax, uint32_t edi, int interrupts) {
  struct kvm_regs r = {0};
  r.rip = CODE + snippet;
  r.rflags = 2 | (interrupts ? 0x200 : 0);
  r.rsp = 0x80000 + cpu * 0x1000;
  r.rax = eax;
  r.rdi = edi;
  if (ioctl(vcpu[cpu], KVM_SET_REGS, &r)) die("KVM_SET_REGS");
  struct kvm_mp_state runnable = {KVM_MP_STATE_RUNNABLE};
  ioctl(vcpu[cpu], KVM_SET_MP_STATE, &runnable);
  for (int tries = 0; tries < 100; tries++) {
    int status = ioctl(vcpu[cpu], KVM_RUN, 0);
    if (status < 0 && errno != EINTR && errno != EAGAIN) {
      printf("run: %s\n", strerror(errno));
      return -2;
    }
    struct kvm_run *u = run[cpu];
    if (u->exit_reason == KVM_EXIT_IO) {
      int port = u->io.port;
      uint32_t byte = *((uint8_t *)u + u->io.data_offset);
      ioctl(vcpu[cpu], KVM_GET_REGS, &regs_at_exit);
      u->immediate_exit = 1; // completes the OUT
      ioctl(vcpu[cpu], KVM_RUN, 0);
      u->immediate_exit = 0;
      return port << 8 | byte;
    }
    if (u->exit_reason == KVM_EXIT_MMIO) {
      printf("mmio-exit %llx\n", u->mmio.phys_addr);
      return -3;
    }
    if (u->exit_reason == KVM_EXIT_HLT) return -4;
    if (u->exit_reason == KVM_EXIT_IOAPIC_EOI) {
      printf("ioapic-eoi %02x\n", u->eoi.vector);
      continue;
    }
    if (status < 0) continue;
    printf("exit %d sub %d\n", u->exit_reason,
           u->exit_reason == KVM_EXIT_INTERNAL_ERROR ? u->internal.suberror : 0);
    return -1;
  }
  return -5;
}

static void create_vcpu(int cpu, int mmap_bytes) {
  static struct {
    struct kvm_cpuid2 head;
    struct kvm_cpuid_entry2 entries[100];
  } cpuid;
  memset(&cpuid, 0, sizeof cpuid);
  cpuid.head.nent = 100;
  if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid)) die("KVM_GET_SUPPORTED_CPUID");
  vcpu[cpu] = ioctl(vm, KVM_CREATE_VCPU, cpu);
  if (vcpu[cpu] < 0) die("KVM_CREATE_VCPU");
  run[cpu] = mmap(0, mmap_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu[cpu], 0);
  for (unsigned k = 0; k < cpuid.head.nent; k++) {
    if (cpuid.entries[k].function != 1) continue;
    cpuid.entries[k].ecx |= 1 << 21; // x2APIC
    cpuid.entries[k].ebx = (cpuid.entries[k].ebx & 0xffffff) | (uint32_t)cpu << 24;
  }
  if (ioctl(vcpu[cpu], KVM_SET_CPUID2, &cpuid)) die("KVM_SET_CPUID2");
  protected_mode(cpu);
}

static void create_machine(int cpus) {
  vm = ioctl(kvm, KVM_CREATE_VM, 0);
  if (vm < 0) die("KVM_CREATE_VM");
  ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000);
  uint64_t identity_map = 0xfffbc000;
  ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
  struct kvm_enable_cap wide_ids = {
      .cap = KVM_CAP_X2APIC_API,
      .args = {KVM_X2APIC_API_USE_32BIT_IDS},
  };
  printf(" x2api=%d", ioctl(vm, KVM_ENABLE_CAP, &wide_ids));
  if (ioctl(vm, KVM_CREATE_IRQCHIP, 0)) die("KVM_CREATE_IRQCHIP");
  ram = mmap(0, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct kvm_userspace_memory_region region = {0, 0, 0, RAM_BYTES, (uint64_t)ram};
  if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region)) die("KVM_SET_USER_MEMORY_REGION");
  write_code();
  int mmap_bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  for (int cpu = 0; cpu < cpus; cpu++) create_vcpu(cpu, mmap_bytes);
  printf(" ok");
}

static uint32_t *page_word(struct kvm_lapic_state *s, int reg) {
  return (uint32_t *)(s->regs + reg * 16);
}

static void print_set(const char *name, struct kvm_lapic_state *s, int reg) {
  printf(" %s", name);
  for (int i = 0; i < 8; i++) {
    if (*page_word(s, reg + i)) printf(" %d:%08x", i, *page_word(s, reg + i));
  }
}

static void dump(int cpu) {
  struct kvm_lapic_state s;
  ioctl(vcpu[cpu], KVM_GET_LAPIC, &s);
  printf(" id %x tpr %x ppr %x ldr %x dfr %x svr %x esr %x icr %x icr2 %x", *page_word(&s, 2),
         *page_word(&s, 8), *page_word(&s, 0xa), *page_word(&s, 0xd), *page_word(&s, 0xe),
         *page_word(&s, 0xf), *page_word(&s, 0x28), *page_word(&s, 0x30), *page_word(&s, 0x31));
  print_set("isr", &s, 0x10);
  print_set("tmr", &s, 0x18);
  print_set("irr", &s, 0x20);
}

// Where the kernel's build leaves the ISR bit to the processor (APICv), sets it in the page.
static void accept(int cpu) {
  int end = go(cpu, CODE_ACCEPT, 0, 0, 1);
  if (end >= 0 && end >> 8 == PORT_NONE) {
    printf(" none");
  } else if (end >= 0 && end >> 8 == PORT_HANDLER) {
    int vector = end & 0xff;
    printf(" %02x", vector);
    struct kvm_lapic_state s;
    ioctl(vcpu[cpu], KVM_GET_LAPIC, &s);
    uint32_t *word = page_word(&s, 0x10 + (vector >> 5));
    if (*word >> (vector & 31) & 1) return;
    *word |= 1u << (vector & 31);
    printf(" (isr forced %d)", ioctl(vcpu[cpu], KVM_SET_LAPIC, &s));
  } else {
    printf(" err %d", end);
  }
}

static void signal_msi(uint32_t high, uint32_t low, uint32_t data) {
  struct kvm_msi msi = {.address_hi = high, .address_lo = low, .data = data};
  printf(" %d", ioctl(vm, KVM_SIGNAL_MSI, &msi));
}

static void base(int cpu, uint64_t value) {
  int done = set_msr(cpu, IA32_APIC_BASE, value);
  uint64_t now;
  get_msr(cpu, IA32_APIC_BASE, &now);
  printf(" %d base=%llx", done, (unsigned long long)now);
}

static void operate(char op, uint64_t a, uint64_t b, uint64_t v) {
  uint64_t value = 0;
  int end;
  switch (op) {
  case 'N':
    create_machine(a);
    break;
  case 'x':
    get_msr(a, IA32_APIC_BASE, &value);
    base(a, value | 0xc00);
    break;
  case 'b':
    base(a, b);
    break;
  case 'w':
    printf(" %s", set_msr(a, 0x800 + b, v) == 1 ? "ok" : "GP");
    break;
  case 'e':
    printf(" %s", set_msr(a, 0x80b, 0) == 1 ? "ok" : "GP");
    break;
  case 'r':
    if (get_msr(a, 0x800 + b, &value) == 1) printf(" %llx", (unsigned long long)value);
    else printf(" GP");
    break;
  case 'd':
    dump(a);
    break;
  case 'a':
    accept(a);
    break;
  case 'W':
    end = go(a, CODE_STORE, v, APIC_PAGE + b * 16, 0);
    printf(end >= 0 && end >> 8 == PORT_STORED ? " ok" : " err %d", end);
    break;
  case 'R':
    end = go(a, CODE_LOAD, 0, APIC_PAGE + b * 16, 0);
    if (end >= 0 && end >> 8 == PORT_LOADED) printf(" %llx", regs_at_exit.rax & 0xffffffff);
    else printf(" err %d", end);
    break;
  case 'm':
    signal_msi(0, a, b);
    break;
  case 'M':
    signal_msi(a, b, v);
    break;
  }
}

int main(void) {
  char line[256];
  kvm = open("/dev/kvm", O_RDWR);
  if (kvm < 0) die("/dev/kvm");
  while (fgets(line, sizeof line, stdin)) {
    if (line[0] == '#' || line[0] == '\n') {
      fputs(line, stdout);
      continue;
    }
    char op = 0;
    unsigned long long a = 0, b = 0, v = 0;
    line[strcspn(line, "\n")] = 0;
    sscanf(line, "%c %llx %llx %llx", &op, &a, &b, &v);
    printf("%s ->", line);
    operate(op, a, b, v);
    printf("\n");
    fflush(stdout);
  }
}
