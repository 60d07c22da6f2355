// A process that outlives the one that started it (a test that ran into its time-out, a suite that was killed) would go on for
// ever where its program loops.  The look-out is a thread of its own, since such a loop lets no timer of the main one run.
import { Worker } from 'node:worker_threads';

const EVERY_MS = 1000;

export function endWithParent() {
  const watch = `setInterval(() => process.ppid !== ${process.ppid} && process.kill(process.pid, 'SIGKILL'), ${EVERY_MS})`;
  new Worker(watch, { eval: true }).unref();
}
