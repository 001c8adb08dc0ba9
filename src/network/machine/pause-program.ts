// The program of a pod's sandbox, as machine code: it blocks SIGCHLD, SIGTERM and SIGINT, then waits for them for ever; children that
// ended are reaped (it is process 1 of pods that share a process namespace), SIGTERM and SIGINT end it.
// Written by hand because a static binary must be there before any registry or package is. docs/decisions/0007-images-without-a-registry.md

/** SIGINT (2), SIGTERM (15), SIGCHLD (17): one bit each, counted from bit 0 for signal 1. */
const signalSet = (1 << 1) | (1 << 14) | (1 << 16);

const loadAddress = 0x400000;
const headerSize = 64 + 56;

/** A static ELF executable of under 300 bytes. Throws for a processor that we have no code for. */
export function pauseProgram(architecture: string): Buffer {
  if (architecture === 'x64') return elf(62, x64Code());
  if (architecture === 'arm64') return elf(183, arm64Code());
  throw new Error(`real nodes need an x64 or arm64 machine, not ${architecture}`);
}

function elf(machine: number, code: Buffer): Buffer {
  const size = headerSize + code.length;
  const header = Buffer.alloc(headerSize);
  header.write('\x7fELF', 0, 'latin1');
  header.set([2, 1, 1], 4); // 64 bits, little endian, version 1
  header.writeUInt16LE(2, 16); // executable
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(loadAddress + headerSize), 24); // entry
  header.writeBigUInt64LE(64n, 32); // program headers
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(1, 64); // one segment to load:
  header.writeUInt32LE(5, 68); // readable, executable
  header.writeBigUInt64LE(BigInt(loadAddress), 80);
  header.writeBigUInt64LE(BigInt(loadAddress), 88);
  header.writeBigUInt64LE(BigInt(size), 96);
  header.writeBigUInt64LE(BigInt(size), 104);
  header.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([header, code]);
}

const le32 = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];

/** Where a jump to a label stands, and how it is written once the distance is known. */
interface Jump {
  at: number;
  label: string;
  encode: (distance: number) => number;
}

function x64Code(): Buffer {
  const code: number[] = [];
  const jumps: Jump[] = [];
  const labels = new Map<string, number>();
  const emit = (...bytes: number[]) => void code.push(...bytes);
  const call = (number: number, ...setUp: number[]) => emit(0xb8, ...le32(number), ...setUp, 0x0f, 0x05); // mov eax,number; …; syscall
  const jump = (opcode: number, label: string) => {
    emit(opcode, 0);
    jumps.push({ at: code.length - 1, label, encode: (distance) => (distance - 1) & 255 });
  };
  const jumpIfEqual = (value: number, label: string) => {
    emit(0x83, 0xf8, value); // cmp eax,value
    jump(0x74, label);
  };
  const eightBytes = [0x41, 0xba, ...le32(8)]; // mov r10d,8

  emit(0x68, ...le32(signalSet)); // push: eight bytes on the stack
  call(14, 0x31, 0xff, 0x48, 0x89, 0xe6, 0x31, 0xd2, ...eightBytes); // rt_sigprocmask(SIG_BLOCK, rsp, null, 8)
  labels.set('wait', code.length);
  call(128, 0x48, 0x89, 0xe7, 0x31, 0xf6, 0x31, 0xd2, ...eightBytes); // rt_sigtimedwait(rsp, null, null, 8)
  jumpIfEqual(17, 'reap');
  jumpIfEqual(15, 'exit');
  jumpIfEqual(2, 'exit');
  jump(0xeb, 'wait');
  labels.set('reap', code.length);
  call(61, 0xbf, ...le32(-1), 0x31, 0xf6, 0xba, ...le32(1), 0x45, 0x31, 0xd2); // wait4(-1, null, WNOHANG, null)
  emit(0x85, 0xc0); // test eax,eax
  jump(0x7f, 'reap'); // jg
  jump(0xeb, 'wait');
  labels.set('exit', code.length);
  call(60, 0x31, 0xff); // exit(0)
  for (const { at, label, encode } of jumps) code[at] = encode(labels.get(label)! - at);
  return Buffer.from(code);
}

function arm64Code(): Buffer {
  const words: number[] = [];
  const jumps: Jump[] = [];
  const labels = new Map<string, number>();
  const emit = (word: number) => void words.push(word >>> 0);
  const move = (register: number, value: number) => emit(0xd2800000 | (value << 5) | register);
  const jump = (label: string, encode: (distance: number) => number) => {
    jumps.push({ at: words.length, label, encode: (distance) => encode(distance) >>> 0 });
    emit(0);
  };
  const always = (distance: number) => 0x14000000 | (distance & 0x3ffffff);
  const when = (condition: number) => (distance: number) => 0x54000000 | ((distance & 0x7ffff) << 5) | condition;
  const compareW0 = (value: number) => emit(0x7100001f | (value << 10));
  // adr counts bytes, the lowest two of them apart: those are zero here.
  const setAddress = (register: number) => jump('set', (distance) => 0x10000000 | ((distance & 0x7ffff) << 5) | register);
  const call = (number: number) => {
    move(8, number);
    emit(0xd4000001); // svc 0
  };
  const jumpIfEqual = (value: number, label: string) => {
    compareW0(value);
    jump(label, when(0));
  };
  const signalCall = (number: number, setRegister: number) => {
    for (const register of [0, 1, 2]) if (register !== setRegister) move(register, 0);
    setAddress(setRegister);
    move(3, 8);
    call(number);
  };

  signalCall(135, 1); // rt_sigprocmask(SIG_BLOCK, set, null, 8)
  labels.set('wait', words.length);
  signalCall(137, 0); // rt_sigtimedwait(set, null, null, 8)
  jumpIfEqual(17, 'reap');
  jumpIfEqual(15, 'exit');
  jumpIfEqual(2, 'exit');
  jump('wait', always);
  labels.set('reap', words.length);
  emit(0x92800000); // movn x0,0: -1
  move(1, 0);
  move(2, 1);
  move(3, 0);
  call(260); // wait4(-1, null, WNOHANG, null)
  compareW0(0);
  jump('reap', when(12)); // b.gt
  jump('wait', always);
  labels.set('exit', words.length);
  move(0, 0);
  call(93); // exit(0)
  if (words.length % 2 === 1) emit(0); // the set is eight bytes, aligned
  labels.set('set', words.length);
  emit(signalSet);
  emit(0);
  for (const { at, label, encode } of jumps) words[at] = encode(labels.get(label)! - at);
  return Buffer.concat(words.map((word) => Buffer.from(le32(word))));
}
