// Loads the addon and hands it each event as text. Everything else is Rust: see `src/lib.rs`.
import { createRequire } from 'node:module';

const signer = createRequire(import.meta.url)('./signer.node');
await signer.prepare();

export const handler = async (event) => JSON.parse(await signer.handle(JSON.stringify(event) ?? ''));
