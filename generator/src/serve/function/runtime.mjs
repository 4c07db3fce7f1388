// What Lambda's runtime is to a function: `node runtime.mjs FOLDER`, where FOLDER has `index.mjs`. The first line on
// standard output says that the function is loaded. Then each line on standard input is an event, and each line on
// standard output its answer or its failure. What the function itself writes goes to the log.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const answer = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

const { handler } = await import(pathToFileURL(`${process.argv[2]}/index.mjs`));
answer('{}\n');
for await (const line of createInterface({ input: process.stdin })) {
  let outcome;
  try {
    outcome = { answer: await handler(JSON.parse(line)) };
  } catch (error) {
    outcome = { failure: String(error) };
  }
  answer(`${JSON.stringify(outcome)}\n`);
}
