// Runs one handler as Lambda does: `node runner.mjs MODULE EVENTS`, where EVENTS is a file with a list of
// events. Answers the first event at once; then, for each number N on standard input, N more. Every line on
// standard output is one JSON object.
import { readFileSync, writeSync } from 'node:fs';

const [module, path] = process.argv.slice(2);
// As texts: Lambda's own runtime makes a new object for each event, and so does the loop below.
const events = JSON.parse(readFileSync(path, 'utf8')).map((event) => JSON.stringify(event));
const { handler } = await import(module);
const response = await handler(JSON.parse(events[0]));

const { user, system } = process.cpuUsage();
const tell = (object) => writeSync(1, `${JSON.stringify(object)}\n`);
tell({ cpu_us: user + system, response });

const { createInterface } = await import('node:readline');
for await (const line of createInterface({ input: process.stdin })) {
  const us = [];
  const statuses = {};
  for (let index = 0; index < Number(line); index += 1) {
    const event = JSON.parse(events[index % events.length]);
    const begun = process.hrtime.bigint();
    const { status } = await handler(event);
    us.push(Number(process.hrtime.bigint() - begun) / 1000);
    statuses[status] = (statuses[status] ?? 0) + 1;
  }
  tell({ us, statuses, rss_bytes: process.memoryUsage.rss() });
}
