// Both cores of an RP2040 with PIO, DMA and timers in step with them, around the package rp2040js (which has one core, and lets PIO run
// on the computer's clock).  node rp2_chip.mjs OPTIONS.json
//
// OPTIONS: image, address; log: file for edges of pins; cycles: the most to run; switches: list of {pin, level, step_pin, after}: the
// input takes its closed level with that many rising edges of the step pin; mhz: the system's clock.
// The log has 32-bit words in pairs: the cycle, and the levels of all pins from then on.  The image's text goes to standard output, then
// a line of JSON: cycles; instructions of both cores; busy: cycles that core 1 has worked, from the first edge of a step pin to the last,
// and how long that was; strays: fetches of core 1 from flash, and the program counter of the first one; ended: exit status of the image.
// steps: step pins, for `busy`; profile: a file for one program counter of core 1 in 97 instructions meanwhile, as 32-bit words.
// Semihosting of either core: SYS_WRITE0, SYS_EXIT_EXTENDED; 0x101: fetches from flash fail from now on (r1 = 1), or no longer; 0x102: this core
// does nothing for r1 microseconds; 0x103: core 1 goes on at address r1, once no interrupt is at work there; 0x104: core 1 has a hard fault.
// reset: the cycle at which the watchdog reset the chip, which ends the run.
import fs from 'node:fs';
import { endWithParent } from '../wasm/watchdog.mjs';
import { ConsoleLogger, FIFO, GPIOPinState, LogLevel, RP2040 } from 'rp2040js';

endWithParent();
const options = JSON.parse(fs.readFileSync(process.argv[2]));
const MHZ = options.mhz;
const NS = 1000 / MHZ;
const mcu = new RP2040();
mcu.logger = new ConsoleLogger(LogLevel.Error);
mcu.clkSys = MHZ * 1e6;

// -- the second core: its own registers, interrupt controller and mailbox, the same memory and peripherals
const view = Object.create(mcu);
const core0 = mcu.core;
const core1 = new core0.constructor(view);
view.core = core1;
view.ppb = new mcu.ppb.constructor(view, 'PPB1');
mcu.setInterrupt = (irq, value) => {
  core0.setInterrupt(irq, value);
  core1.setInterrupt(irq, value);
};
for (const part of [mcu, view]) part.ppb.systickTimer.frequency = mcu.clkSys;
const mail = [[], []]; // words for core 0, core 1
let launched = false;
let step = 0;
const launch = [];
// What the boot ROM of core 1 does with the words it gets (RP2040 datasheet 2.8.2).
function boot(word) {
  const wanted = [0, 0, 1];
  if (step < 3 && word !== wanted[step]) step = 0;
  else {
    launch[step] = word;
    step++;
  }
  mail[0].push(word);
  if (step === 6) {
    [core1.VTOR, core1.SP, core1.PC] = [launch[3], launch[4], launch[5] & ~1];
    core1.cycles = core0.cycles;
    launched = true;
  }
}
function sio(number) {
  const shared = mcu.sio;
  return {
    readUint32(offset) {
      if (offset === 0) return number;
      if (offset === 0x50) return (mail[number].length ? 1 : 0) | 2;
      if (offset === 0x58) return mail[number].shift() ?? 0;
      return shared.readUint32(offset);
    },
    writeUint32(offset, value) {
      if (offset === 0x50) return;
      if (offset === 0x54) {
        if (number === 0 && !launched) boot(value >>> 0);
        else mail[1 - number].push(value >>> 0);
        return;
      }
      shared.writeUint32(offset, value);
      if (offset >= 0x10 && offset < 0x30) for (const pin of mcu.gpio) pin.checkForUpdates();
    },
  };
}
view.sio = sio(1);
mcu.sio = Object.assign(Object.create(mcu.sio), sio(0));

// -- the interrupt enables of core 1 for pins are those of core 0 here
const io = mcu.peripherals[0x40014];
const [ioRead, ioWrite] = [io.readUint32.bind(io), io.writeUint32.bind(io)];
io.readUint32 = (offset) => ioRead(offset >= 0x130 && offset < 0x160 ? offset - 0x30 : offset);
io.writeUint32 = (offset, value) => ioWrite(offset >= 0x130 && offset < 0x160 ? offset - 0x30 : offset, value);

// -- flash that fails
let closed = false;
let strays = 0;
let stray = 0;
let status;
const isFlash = (address) => address >>> 26 === 4; // 0x10000000 to 0x13FFFFFF
for (const name of ['readUint32', 'readUint16', 'readUint8']) {
  const read = mcu[name];
  view[name] = function (address) {
    if (isFlash(address)) {
      if (!strays++) stray = core1.PC;
      if (closed) {
        console.log('core 1 reads flash while it is being written: ' + core1.PC.toString(16));
        status = 90;
      }
    }
    return read.call(this, address);
  };
  mcu[name] = function (address) {
    if (closed && this === mcu && isFlash(address) && running === core0) {
      console.log('core 0 reads flash while it is being written: ' + core0.PC.toString(16));
      status = 91;
    }
    return read.call(this, address);
  };
}

// -- image
const image = fs.readFileSync(options.image);
mcu.flash.set(image, options.address & 0xffffff);
[core0.SP, core0.PC, core0.VTOR] = [image.readUInt32LE(0), image.readUInt32LE(4) & ~1, options.address];
let text = '';
let running = core0;
let diversion = 0;
let reset = null;
const watchdog = mcu.peripherals[0x40058];
watchdog.onWatchdogTrigger = () => {
  watchdog.alarm.enable = false; // else it goes off for ever
  reset = now;
  status = 0;
};
const meter = [0, 0];
let worked = 0;
let first = -1;
let [from, to] = [[0, 0], [0, 0]];
const stepPins = (options.steps ?? []).reduce((mask, pin) => mask | (1 << pin), 0);
const places = [];
mcu.onBreak = view.onBreak = (code) => {
  const [operation, at] = running.registers;
  if (code !== 0xab) status = 4;
  else if (operation === 0x04) for (let p = at, c; (c = mcu.readUint8(p)) !== 0; p++) text += String.fromCharCode(c);
  else if (operation === 0x20) status = mcu.readUint32(at + 4);
  else if (operation === 0x101) closed = at !== 0;
  else if (operation === 0x102) running.cycles += at * MHZ;
  else if (operation === 0x103) diversion = at & ~1;
  else if (operation === 0x104) core1.exceptionEntry(3);
  else status = 4;
};

// -- pins
let stamp = 0;
let now = 0;
let levels = 0;
let log = new Uint32Array(1 << 16);
let logged = 0;
const switches = options.switches ?? [];
const rises = new Array(30).fill(0);
mcu.gpio.forEach((pin, number) => {
  pin.addListener((value) => {
    const high = value === GPIOPinState.High;
    if (high === !!(levels & (1 << number))) return;
    levels ^= 1 << number;
    if (logged && log[logged - 2] === stamp) log[logged - 1] = levels >>> 0;
    else {
      if (logged === log.length) {
        const more = new Uint32Array(2 * logged);
        more.set(log);
        log = more;
      }
      log[logged++] = stamp;
      log[logged++] = levels >>> 0;
    }
    if (!high) return;
    if (stepPins & (1 << number)) {
      to = [now, worked];
      if (first < 0) [first, from] = [number, to];
    }
    rises[number]++;
    for (const s of switches) if (s.step_pin === number && s.after === rises[number]) mcu.gpio[s.pin].setInputValue(!!s.level);
  });
});
for (const s of switches) mcu.gpio[s.pin].setInputValue(!s.level);

// -- PIO: state machine by state machine, a cycle at a time, but for loops that only count
for (const pio of mcu.pio) {
  pio.run = () => {};
  const write = pio.writeUint32.bind(pio);
  pio.writeUint32 = (offset, value) => {
    if (offset !== 0) {
      write(offset, value);
      for (const m of pio.machines) {
        const words = m.shiftCtrl & (1 << 30) ? 8 : 4; // joined queues, which the package does not know
        if (m.txFIFO.buffer.length !== words) {
          m.txFIFO = new FIFO(words);
          m.updateDMATx();
        }
      }
      return;
    }
    play(stamp, true); // where machines are started and stopped, counts must be right
    const on = pio.machines.map((m) => m.enabled);
    write(offset, value);
    pio.machines.forEach((m, i) => {
      if (m.enabled && !on[i]) m.now = stamp;
    });
  };
}
function play(until, exact) {
  for (const pio of mcu.pio) {
    if (pio.stopped) continue;
    for (const m of pio.machines) {
      if (!m.enabled) continue;
      while (m.now < until) {
        const code = pio.instructions[m.pc];
        if (code >>> 5 === 2 && (code & 31) === m.pc && m.x > 0 && !m.waiting) {
          const n = Math.min(m.x, until - m.now);
          if (!exact && n < m.x) break; // later
          m.x -= n;
          m.now += n;
          continue;
        }
        const before = m.cycles;
        const keep = stamp;
        stamp = m.now;
        m.step();
        pio.checkChangedPins();
        stamp = keep;
        m.now += Math.max(1, m.cycles - before);
        if (m.waiting) m.now = Math.max(m.now, until);
      }
    }
  }
}

const limit = options.cycles;
const GRAIN = 48; // cycles that pass at once where no core does anything
while (status === undefined && now < limit) {
  // a core that waits, or is not started yet, keeps up with time
  if (core0.waiting) core0.cycles = now;
  if (diversion && core1.IPSR === 0) core1.waiting = false;
  if (core1.waiting || !launched) core1.cycles = now;
  const awake1 = launched && !core1.waiting;
  const next = awake1 && (core0.waiting || core1.cycles <= core0.cycles) ? core1 : core0.waiting ? undefined : core0;
  if (next && next.cycles <= now) {
    running = next;
    stamp = now;
    if (diversion && next === core1 && core1.IPSR === 0) {
      core1.PC = diversion;
      diversion = 0;
    }
    const cycles = next.executeInstruction();
    if (next === core1) {
      worked += cycles;
      if (options.profile && first >= 0 && meter[1] % 97 === 0) places.push(core1.PC);
    }
    meter[next === core1 ? 1 : 0]++;
    continue;
  }
  const reached = next ? Math.min(next.cycles, now + GRAIN) : now + GRAIN;
  play(reached);
  stamp = now = reached;
  mcu.clock.tick(now * NS - mcu.clock.nanos);
}
if (options.log) fs.writeFileSync(options.log, log.subarray(0, logged));
if (options.profile) fs.writeFileSync(options.profile, Uint32Array.from(places));
const busy = [to[1] - from[1], to[0] - from[0]];
fs.writeSync(1, text + JSON.stringify({ cycles: now, instructions: meter, busy, strays, stray: stray.toString(16), reset, ended: status ?? null }) + '\n');
process.exit(status === undefined || status === 0 ? 0 : status);
