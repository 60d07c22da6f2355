// Runs a bare image in the RP2040 emulator: node rp2040.mjs IMAGE.bin ADDRESS [PROFILE]
// Its text goes to standard output, its result becomes the exit status (4: a breakpoint of its own).
// PROFILE: a file for one program counter in 997 instructions, as 32-bit words.
// Semihosting: SYS_WRITE0, SYS_EXIT_EXTENDED, and operation 0x100, which puts cycles and instructions so far at r1.
// Timers and PIO stand still: an image that waits for them would wait for ever.
import fs from 'node:fs';
import { endWithParent } from '../wasm/watchdog.mjs';
import { ConsoleLogger, LogLevel, RP2040 } from 'rp2040js';

const [file, address, profile] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
endWithParent();
const EVERY = 997;
const image = fs.readFileSync(file);
const mcu = new RP2040();
mcu.logger = new ConsoleLogger(LogLevel.Error);
const core = mcu.core;
mcu.flash.set(image, address & 0xffffff);
[core.SP, core.PC, core.VTOR] = [image.readUInt32LE(0), image.readUInt32LE(4) & ~1, address];
let status;
let instructions = 0;
let text = '';
mcu.onBreak = (code) => {
  const [operation, at] = core.registers;
  if (code !== 0xab) status = 4;
  else if (operation === 0x04) for (let p = at, c; (c = mcu.readUint8(p)) !== 0; p++) text += String.fromCharCode(c);
  else if (operation === 0x20) status = mcu.readUint32(at + 4);
  else if (operation === 0x100) {
    mcu.writeUint32(at, core.cycles >>> 0);
    mcu.writeUint32(at + 4, instructions >>> 0);
  } else status = 4;
};
const places = [];
while (status === undefined) {
  if (profile) places.push(core.PC);
  for (let i = 0; i < EVERY && status === undefined; i++) {
    core.executeInstruction();
    instructions++;
  }
}
if (profile) fs.writeFileSync(profile, Uint32Array.from(places));
fs.writeSync(1, text);
process.exit(status);
