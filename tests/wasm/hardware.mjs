// The hardware of a simulated board, outside the interpreter's heap as real hardware is: heated parts with thermistors, endstops, a
// NOR flash, and a recorder that makes the digest of what the pulse port played.  Python reaches it by the functions of `calls`, which
// take and give whole numbers; tests/wasm/board.py is the backend over them.  No faults to order and Cartesian mechanics only: for those
// there is hal/sim.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const AMBIENT_C = 22, KELVIN = 273.15, FILAMENT_J_MM_K = 0.005;
const SLICE_MS = 50;             // longest step of the plants
const WAIT = 1, LIVE = 1;        // PW_ADVANCE_WAIT, PW_INPUT_LIVE
const GATE = 4, MARKS = 6;       // enum pw_host_reason: the port wants to be read
const STATUS_WORDS = 45, PHYSICAL = 21;
const SINK_WORDS = 33, STEPS = 16;
const PACK_BYTES = 4096, MOTORS = 4;
const AXES = ['x', 'y', 'z'], HEATERS = ['nozzle', 'bed', 'chamber'];

/** One heated part: hal/sim/plants.py has the same model. */
class Plant {
  constructor(index, data, table, pullup_ohm, bits) {
    Object.assign(this, { index, ...data, pullup_ohm, top: (1 << bits) - 1, block_c: AMBIENT_C, sensor_c: AMBIENT_C, energy: 0 });
    this.points = table.map(([c, ohm]) => [1 / (c + KELVIN), Math.log(ohm)]);
  }

  step(dt_s, heat_j, fan, filament_mm) {
    const excess = this.block_c - AMBIENT_C;
    const lost_j = (this.loss_w_k + fan * this.fan_loss_w_k) * excess * dt_s + FILAMENT_J_MM_K * filament_mm * Math.max(excess, 0);
    this.block_c += (heat_j - lost_j) / this.capacity_j_k;
    this.sensor_c += (this.block_c - this.sensor_c) * Math.min(dt_s / this.sensor_s, 1);
  }

  reading() {
    const p = this.points, inverse = 1 / (this.sensor_c + KELVIN);
    let i = 1;
    while (i < p.length - 1 && inverse < p[i][0]) i++;
    const [t0, r0] = p[i - 1], [t1, r1] = p[i];
    const ohm = Math.exp(r0 + (r1 - r0) * (inverse - t0) / (t1 - t0));
    return Math.floor(Math.floor(this.top * ohm / (ohm + this.pullup_ohm) + 0.5) * 65535 / this.top);
  }
}

/** NOR flash: programming only clears bits.  Results: 0, or what hal/api.Flash calls a broken rule. */
class Flash {
  constructor(file, size, sector) {
    const kept = file && fs.existsSync(file) ? fs.readFileSync(file) : null;
    Object.assign(this, { file, sector, bytes: kept?.length === size ? kept : Buffer.alloc(size, 0xFF) });
  }

  program(offset, data) {
    for (let i = 0; i < data.length; i++) if (data[i] !== 0xFF && data[i] & ~this.bytes[offset + i]) return -1;
    for (let i = 0; i < data.length; i++) this.bytes[offset + i] &= data[i];
    return 0;
  }

  save() {
    if (!this.file) return;
    fs.mkdirSync(path.dirname(this.file), { recursive: true });
    fs.writeFileSync(this.file, this.bytes);
  }
}

/**
 * description: of the machine; core: exports of pwcore.wasm; block(size): memory for it; bytesAt(at, n): a view of memory; printed(digest, steps): told at the end of a
 * job; state: folder of the flash, or null.  Returns {calls, close}.
 */
export function hardware(description, core, block, bytesAt, printed, state) {
  const wide = block(8), status = block(8 * STATUS_WORDS), counts = block(8 * SINK_WORDS), factors = block(32);
  const sinkSize = core.pw_sink_size(), sinkMemory = block(sinkSize), packs = Array.from({ length: MOTORS }, () => block(PACK_BYTES));
  const word = (at, i) => Number(new DataView(bytesAt(at + 8 * i, 8).slice().buffer).getBigInt64(0, true));
  const started = Date.now();
  let host, motors, perMs, plants = [], fan = 0, eSteps, eLast = 0, sink = 0, hashes = null, flash;

  const ok = (result) => { if (result < 0) throw new Error('the port says ' + result); return result; };

  function step(ticks) {
    const e = word(status, PHYSICAL + 3), dt_s = ticks / (1000 * perMs), pushed = Math.max(0, e - eLast) / eSteps;
    eLast = e;
    for (const part of plants) {
      ok(core.pw_host_energy(host, part.index, wide));
      const energy = word(wide, 0), heat_j = (energy - part.energy) / (1e6 * perMs) * part.power_w;
      part.energy = energy;
      part.step(dt_s, heat_j, part.index ? 0 : fan / 1000, part.index ? 0 : pushed);
    }
  }

  function drain() {
    let more = true;
    while (more) {
      more = ok(core.pw_sink_host(sink, host, counts)) === 1;
      if (hashes) for (let m = 0; m < motors; m++) hashes[m].update(bytesAt(packs[m], word(counts, m)));
    }
  }

  function newSink() {
    ok(core.pw_sink_init(sinkMemory, sinkSize, wide));
    sink = word(wide, 0);
    for (let m = 0; m < motors; m++) ok(core.pw_sink_buffers(sink, m, packs[m], PACK_BYTES, 0, 0, 0));
  }

  const calls = {
    /** port: address of the port's object. */
    hw_start(port) {
      const { pcb, printer, thermistors } = description;
      if (printer.kinematics !== 'cartesian') throw new Error('Cartesian mechanics only');
      host = port;
      motors = MOTORS;
      perMs = pcb.tick_hz / 1000;
      eSteps = printer.extruder.steps_per_mm;
      HEATERS.forEach((name, index) => {
        const data = printer.heaters[name];
        if (data) plants.push(new Plant(index, data.plant, thermistors[data.thermistor], pcb.sensors[data.sensor].pullup_ohm, pcb.adc_bits));
      });
      AXES.forEach((name, motor) => {
        const axis = printer.axes[name], way = axis.endstop_mm >= axis.max_mm ? 1 : -1;
        ok(core.pw_host_place(host, motor, Math.round((axis.min_mm + axis.max_mm) / (motor + 2) * axis.steps_per_mm)));
        new Int32Array(bytesAt(factors, 32).buffer, factors, 8).fill(0)[motor] = way;
        ok(core.pw_host_input(host, motor, LIVE, factors, way * Math.round(axis.endstop_mm * axis.steps_per_mm)));
      });
      flash = new Flash(state && path.join(state, 'flash.bin'), pcb.flash.bytes, pcb.flash.sector_bytes);
      newSink();
      ok(core.pw_host_tap(host, 1));
    },

    /** Lets ms of machine time pass, less when the port has something to be read; returns the machine time in ms. */
    hw_advance(ms) {
      for (let ticks = ms * perMs, reason = 0; ticks > 0 && reason !== GATE && reason !== MARKS;) {
        reason = ok(core.pw_host_advance(host, Math.min(ticks, SLICE_MS * perMs), WAIT));
        ok(core.pw_host_status(host, status));
        const took = word(status, 2);
        ticks -= took;
        drain();
        if (took) step(took);
      }
      return Math.floor(word(status, 0) / perMs);
    },
    hw_wall_ms: () => Date.now() - started,
    hw_adc: (index) => plants.find((part) => part.index === index).reading(),
    hw_fan(permille) { fan = permille; },

    hw_trace_begin() { newSink(); hashes = Array.from({ length: motors }, () => crypto.createHash('sha256')); },
    hw_trace_end() {
      if (!hashes) return;
      drain();
      const whole = crypto.createHash('sha256'), steps = hashes.map((_, m) => word(counts, STEPS + m));
      for (const hash of hashes) whole.update(hash.digest());
      hashes = null;
      printed(whole.digest('hex'), steps);
    },

    hw_flash_read(offset, at, n) { bytesAt(at, n).set(flash.bytes.subarray(offset, offset + n)); },
    hw_flash_program: (offset, at, n) => flash.program(offset, bytesAt(at, n)),
    hw_flash_erase(offset) { flash.bytes.fill(0xFF, offset, offset + flash.sector); },
  };
  return { calls, close: () => flash?.save() };
}
