// Runs the packed function as Lambda does: one process, one event after the other. Each line on stdin is a
// task, each line on stdout its outcome.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const { handler } = await import(pathToFileURL(`${process.argv[2]}/index.mjs`));

const resident = () => {
  globalThis.gc();
  return process.memoryUsage.rss();
};

const tasks = {
  version: async () => process.version,
  answer: async ({ event }) => {
    const begun = performance.now();
    const response = await handler(event);
    return { response, milliseconds: performance.now() - begun };
  },
  // The events in turn, many times; each must be answered with its own status.
  repeat: async ({ events, statuses, times }) => {
    const memory = [];
    for (let turn = 0; turn < times; turn += 1) {
      const index = turn % events.length;
      const { status } = await handler(events[index]);
      if (status !== statuses[index]) throw new Error(`request ${turn}: status ${status}`);
      // Lambda's own loop waits for the next event between two answers.
      if (turn % 1_000 === 0) await new Promise(setImmediate);
      if (turn % (times / 10) === 0) memory.push(resident());
    }
    memory.push(resident());
    return memory;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { task, ...given } = JSON.parse(line);
  let outcome;
  try {
    outcome = { done: await tasks[task](given) };
  } catch (error) {
    outcome = { thrown: String(error) };
  }
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
