// MicroPython as WebAssembly under Node, for the tests: a heap with a hard ceiling, the motion core in the same memory, TCP over
// node:net, a state directory, code from source trees or from a ROMFS image.
//
//   timeout 60 node tests/wasm/host.mjs [options] main.py|MODULE [args...]       (MODULE: one that can be imported)
//     --heap KiB        the whole GC heap (default 192); passing it is a MemoryError
//     --core FILE       pwcore.wasm (native/wasm/build.py), imported by Python as `pwcore`
//     --core-memory KiB memory for the core's objects, outside the heap as a board's C memory is (default 0: they are in the heap)
//     --tree DIR[=DEST] copies DIR into the in-memory file system, at /lib/<name> or DEST
//     --rom FILE        ROMFS image, mounted at /rom and first in sys.path; run in place, outside the heap as on a board
//     --hardware PLAN   a simulated board's hardware behind `pwcore` (hardware.mjs), for a plan of hal/factory; its flash lies in the
//                       state directory
//     --state DIR       copied to /state at the start, and back when the program ends (SIGTERM included, SIGKILL not)
//     --report          at the end one line of JSON on standard error, {"heap_bytes":..., "live_bytes":..., "peak_bytes":...}
//
// The process ends with the program: with asyncio.run's coroutine, or with main.py when it calls none.  Exit status 0, that of
// SystemExit, or 1; SIGKILL when its parent has ended.  Run it under timeout(1): a MemoryError while an exception is being reported
// may never return.
//
// Garbage is collected when a call from JavaScript returns, and every asyncio step is one: the ceiling bounds live data plus the
// garbage of one step.  live_bytes is the highest seen at the start of a step (every 16th is looked at), peak_bytes at the end of one.
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { hardware } from './hardware.mjs';
import { endWithParent } from './watchdog.mjs';

const RECEIVE_MAX = 16384;       // bytes that wait for Python, per socket
const FFI_RESERVE = 32 * 1024;   // of malloc, for calls across the boundary once the heap is sealed
const CORE_STACK = 64 * 1024;    // C stack of the motion core
const READABLE = 0, WRITABLE = 1, ACCEPTED = 2, LISTENING = 3, REFUSED = 4, TURN = 5;
const LINE_FEED = 10;

function options(argv) {
  const o = { heap: 192, core: null, coreMemory: 0, trees: [], rom: null, state: null, report: false, hardware: null, args: [] };
  const rest = [...argv];
  while (rest[0]?.startsWith('--')) {
    const key = rest.shift();
    if (key === '--report') o.report = true;
    else if (key === '--heap') o.heap = Number(rest.shift());
    else if (key === '--core-memory') o.coreMemory = Number(rest.shift()) * 1024;
    else if (key === '--tree') o.trees.push(rest.shift());
    else if (['--core', '--rom', '--state', '--hardware'].includes(key)) o[key.slice(2)] = rest.shift();
    else throw new Error('unknown option ' + key);
  }
  o.args = rest;
  if (!o.args.length) throw new Error('usage: host.mjs [--heap KiB] [--core FILE] [--tree DIR]... main.py [args...]');
  return o;
}

// -- memory: Emscripten keeps its own, so the instantiation is watched ------------------------------------------------------------

let memory, sealed = false;
const instantiate = WebAssembly.instantiate;
WebAssembly.instantiate = async (bytes, imports) => {
  const grow = imports?.env?.emscripten_resize_heap;
  if (!grow) return instantiate(bytes, imports);
  imports.env.emscripten_resize_heap = (n) => (sealed ? 0 : grow(n));
  const made = await instantiate(bytes, imports);
  memory = made.instance.exports.memory;
  return made;
};

const bytesAt = (at, n) => new Uint8Array(memory.buffer, at, n);

// Sizes that a position-independent module wants: custom section dylink.0, subsection 1 (memory size, alignment, table size, ...).
function needs(module) {
  const [section] = WebAssembly.Module.customSections(module, 'dylink.0');
  const data = new Uint8Array(section);
  let i = 0;
  const number = () => {
    let value = 0, shift = 0, byte;
    do { byte = data[i++]; value |= (byte & 127) << shift; shift += 7; } while (byte & 128);
    return value;
  };
  while (i < data.length) {
    const kind = data[i++], size = number(), end = i + size;
    if (kind === 1) return { memory: number(), align: 1 << number(), table: number() };
    i = end;
  }
  return { memory: 0, align: 1, table: 0 };
}

function block(M, size, align = 16) {
  const at = M._malloc(size + align);
  if (!at) throw new Error('no memory for a block of ' + size);
  return (at + align - 1) & ~(align - 1);
}

function loadCore(M, file) {
  const module = new WebAssembly.Module(fs.readFileSync(file));
  const want = needs(module);
  const base = block(M, Math.max(want.memory, 1), want.align);
  const stack = block(M, CORE_STACK);
  const env = {
    memory,
    __memory_base: new WebAssembly.Global({ value: 'i32', mutable: false }, base),
    __table_base: new WebAssembly.Global({ value: 'i32', mutable: false }, 0),
    __stack_pointer: new WebAssembly.Global({ value: 'i32', mutable: true }, stack + CORE_STACK),
    __indirect_function_table: new WebAssembly.Table({ initial: Math.max(want.table, 1), element: 'anyfunc' }),
  };
  const { exports } = new WebAssembly.Instance(module, { env });
  exports.__wasm_apply_data_relocs?.();
  exports.__wasm_call_ctors?.();
  return exports;
}

// Gives out a reserved piece of C memory, address by address; 0 when it does not reach.
function pool(M, size) {
  let at = size ? block(M, size) : 0;
  const end = at + size;
  return (n) => {
    const place = at;
    if (at + n > end) return 0;
    at += (n + 15) & ~15;
    return place;
  };
}

// -- files ---------------------------------------------------------------------------------------------------------------------

function copyIn(FS, from, to) {
  if (fs.statSync(from).isDirectory()) {
    if (!FS.analyzePath(to).exists) FS.mkdirTree(to);
    for (const name of fs.readdirSync(from)) {
      if (name !== '__pycache__' && !name.startsWith('.')) copyIn(FS, path.join(from, name), to + '/' + name);
    }
  } else {
    if (!FS.analyzePath(path.posix.dirname(to)).exists) FS.mkdirTree(path.posix.dirname(to));
    FS.writeFile(to, fs.readFileSync(from));
  }
}

function copyOut(FS, from, to) {
  fs.mkdirSync(to, { recursive: true });
  const names = FS.readdir(from).filter((name) => name !== '.' && name !== '..');
  for (const name of fs.readdirSync(to)) if (!names.includes(name)) fs.rmSync(path.join(to, name), { recursive: true });
  for (const name of names) {
    const inside = from + '/' + name, outside = path.join(to, name);
    if (FS.isDir(FS.stat(inside).mode)) copyOut(FS, inside, outside);
    else fs.writeFileSync(outside, FS.readFile(inside));
  }
}

// -- sockets, known to Python by number ----------------------------------------------------------------------------------------

function sockets(tell) {
  const all = new Map(), servers = new Map();
  let next = 1;
  const attach = (socket) => {
    const number = next++;
    const s = { socket, parts: [], size: 0, ended: false, broken: false };
    all.set(number, s);
    socket.setNoDelay(true);
    socket.on('data', (part) => {
      s.parts.push(part);
      s.size += part.length;
      if (s.size >= RECEIVE_MAX) socket.pause();
      tell(READABLE, number, 0);
    });
    socket.on('connect', () => tell(WRITABLE, number, 0));
    socket.on('drain', () => tell(WRITABLE, number, 0));
    socket.on('end', () => { s.ended = true; tell(READABLE, number, 0); });
    socket.on('error', () => { s.broken = true; });
    socket.on('close', () => {
      s.ended = true;
      tell(READABLE, number, 0);
      tell(WRITABLE, number, 0);
      if (s.closed) all.delete(number);
    });
    return number;
  };
  return {
    listen(address, port, backlog) {
      const number = next++;
      const server = net.createServer({ allowHalfOpen: true }, (socket) => {
        const n = attach(socket);
        tell(ACCEPTED, n, number);
      });
      servers.set(number, server);
      server.on('error', () => tell(REFUSED, number, 0));
      server.listen({ port, host: address || undefined, backlog }, () => tell(LISTENING, number, server.address().port));
      return number;
    },
    unlisten(number) { servers.get(number)?.close(); servers.delete(number); },
    connect: (address, port) => attach(net.connect({ port, host: address, allowHalfOpen: true })),
    /** Copies at most n received bytes to an address: their number, 0 (none yet), -1 (the peer has ended), -2 (broken). */
    take(number, at, n) {
      const s = all.get(number);
      if (!s) return -1;
      if (!s.size) return s.broken ? -2 : s.ended ? -1 : 0;
      let done = 0;
      while (done < n && s.parts.length) {
        const part = s.parts[0], count = Math.min(part.length, n - done);
        bytesAt(at + done, count).set(part.subarray(0, count));
        done += count;
        if (count === part.length) s.parts.shift();
        else s.parts[0] = part.subarray(count);
      }
      s.size -= done;
      if (s.size < RECEIVE_MAX && s.socket.isPaused()) s.socket.resume();
      return done;
    },
    /** Bytes up to the first line feed, that included; all that is there when there is none. */
    line_length(number) {
      let before = 0;
      for (const part of all.get(number)?.parts ?? []) {
        const i = part.indexOf(LINE_FEED);
        if (i >= 0) return before + i + 1;
        before += part.length;
      }
      return before;
    },
    /** False: more is queued than the socket likes; WRITABLE follows. */
    send(number, at, n) {
      const s = all.get(number);
      if (!s || s.broken || s.socket.destroyed || s.closed) return true;
      return s.socket.write(Buffer.from(bytesAt(at, n)));
    },
    broken(number) { const s = all.get(number); return !s || s.broken; },
    close(number) {
      const s = all.get(number);
      if (!s) return;
      s.closed = true;
      if (s.socket.destroyed) all.delete(number);
      else s.socket.end();
      s.socket.resume();
    },
    peer_address: (number) => all.get(number)?.socket.remoteAddress ?? '',
    peer_port: (number) => all.get(number)?.socket.remotePort ?? 0,
  };
}

// -- start -----------------------------------------------------------------------------------------------------------------------

// Timers of the interpreter's asyncio: a delay of 0 need not cost Node's 1 ms, and the heap is looked at around every step.
function watchTimers(step) {
  const timeout = globalThis.setTimeout, clear = globalThis.clearTimeout;
  const waiting = new Map();
  let next = 1;
  globalThis.setTimeout = (f, ms, ...args) => {
    const id = next++;
    const go = () => { waiting.delete(id); step(() => f(...args)); };
    const handle = ms > 0 ? timeout(go, ms) : setImmediate(go);
    waiting.set(id, () => (ms > 0 ? clear(handle) : clearImmediate(handle)));
    return id;
  };
  globalThis.clearTimeout = (id) => { waiting.get(id)?.(); waiting.delete(id); };
}

async function main() {
  const o = options(process.argv.slice(2));
  const here = path.dirname(new URL(import.meta.url).pathname);
  let live = 0, peak = 0, memAlloc = () => 0;
  let steps = 0;
  const step = !o.report ? (f) => f() : (f) => {    // each look at the heap walks all of its table
    if (steps++ % 16 === 0) live = Math.max(live, memAlloc());
    f();
    peak = Math.max(peak, memAlloc());
  };
  watchTimers(step);
  const { loadMicroPython } = await import('@micropython/micropython-webassembly-pyscript');
  const mp = await loadMicroPython({
    heapsize: o.heap * 1024, linebuffer: true,
    stdout: (line) => fs.writeSync(1, line + '\n'), stderr: (line) => fs.writeSync(2, line + '\n'),
  });
  const M = mp._module, FS = M.FS;

  let board = null;
  const exit = (code) => {
    if (o.state) copyOut(FS, '/state', o.state);
    board?.close();
    if (o.report) {
      fs.writeSync(2, JSON.stringify({ heap_bytes: o.heap * 1024, live_bytes: live, peak_bytes: Math.max(peak, memAlloc()) }) + '\n');
    }
    process.exit(code);
  };
  process.on('SIGTERM', () => exit(0));
  process.on('uncaughtException', (e) => { fs.writeSync(2, (e.name === 'PythonError' ? e.message : e.stack.slice(-2000)) + '\n'); exit(1); });

  let event;
  const tell = (kind, number, value) => step(() => event(kind, number, value));
  const host = {
    ...sockets(tell), exit,
    turn: () => { setImmediate(tell, TURN, 0, 0); },
    random_byte: () => crypto.randomBytes(1)[0],
    live: () => live,
    peak: () => peak,
  };
  mp.registerJsModule('host', host);
  const image = o.rom && fs.readFileSync(o.rom);
  if (image) {
    const at = block(M, image.length);
    bytesAt(at, image.length).set(image);
    mp.runPython(`import sys, uctypes, vfs; vfs.mount(vfs.VfsRom(uctypes.bytearray_at(${at}, ${image.length})), '/rom'); sys.path.insert(0, '/rom')`);
  } else {
    FS.writeFile('/shim.py', fs.readFileSync(path.join(here, 'shim.py')));
  }
  // on a board these are C alone; this build has Python on top
  mp.runPython('import sys\nfor n in ("binascii", "collections", "os", "time"): sys.modules[n] = __import__("u" + n)\ndel n');
  mp.runPython('import shim');
  const shim = mp.globals.get('shim');
  event = shim._event;
  memAlloc = shim._mem_alloc;
  FS.mkdirTree('/lib');
  for (const tree of o.trees) {
    const [from, to] = tree.split('=');
    copyIn(FS, from, to ?? '/lib/' + path.basename(path.resolve(from)));
  }
  if (o.state) {
    fs.mkdirSync(o.state, { recursive: true });
    copyIn(FS, o.state, '/state');
  }
  if (o.core) {
    const exports = loadCore(M, o.core);
    const calls = Object.fromEntries(Object.entries(exports).filter(([name, f]) => name.startsWith('pw_') && typeof f === 'function'));
    calls.pw_block = pool(M, o.coreMemory);
    if (o.hardware) {
      board = hardware(JSON.parse(fs.readFileSync(o.hardware)).description, exports, (size) => block(M, size), bytesAt, (sha256, steps) => {
        const facts = { event: 'printed', sha256, steps, live_bytes: live, peak_bytes: peak };
        fs.writeSync(1, JSON.stringify(facts) + '\n');
      }, o.state);
      Object.assign(calls, board.calls);
    }
    // each weighs on the heap, as it would not on a board
    if (image) for (const name of Object.keys(calls)) if (!image.includes(name + '\0')) delete calls[name];
    shim._install_core(calls, Object.keys(calls).join(' '));
  }
  let program = o.args[0];
  if (program.endsWith('.py')) {
    program = '/' + path.basename(program);
    FS.writeFile(program, fs.readFileSync(o.args[0]));
  }
  mp.globals.set('_argv', [program, ...o.args.slice(1)].join('\0'));
  mp.runPython('import sys; sys.argv.clear(); sys.argv.extend(_argv.split("\\0")); del _argv');

  // The build adds heap areas by malloc instead of collecting.  What malloc still has is used up and growth refused: from here on
  // the GC heap is all there is.
  sealed = true;
  const kept = M._malloc(FFI_RESERVE);
  for (let size = 1 << 23; size >= 256; size >>= 1) while (M._malloc(size));
  M._free(kept);
  step(() => shim._exec(program));
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  endWithParent();
  main().catch((e) => { console.error(e); process.exit(2); });
}
