// Runs the driver's WebAssembly module: node wasm.mjs MODULE.wasm CASES.  Its result becomes the exit status.
import fs from 'node:fs';

const cases = fs.readFileSync(process.argv[3]);
const work = 4 << 20;
let memory;
let text = '';
const put = (at) => {
  const bytes = new Uint8Array(memory.buffer);
  text += String.fromCharCode(...bytes.subarray(at, bytes.indexOf(0, at)));
};
const { instance } = await WebAssembly.instantiate(fs.readFileSync(process.argv[2]), { env: { put } });
memory = instance.exports.memory;
const start = (instance.exports.__heap_base.value + 7) & ~7;
const rest = start + ((cases.length + 7) & ~7);
memory.grow(Math.ceil((rest + work) / 65536));
new Uint8Array(memory.buffer).set(cases, start);
const status = instance.exports.run(start, rest, work);
fs.writeSync(1, text);
process.exit(status);
