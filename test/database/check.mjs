#!/usr/bin/env node
/* oxlint-disable */
// Repeats the recorded reads against a ZMS server whose database holds original-data.sql and compares the answers.
// See README.md. Plain Node 20; needs the openssl command to mint client certificates.
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { clientFor, configure, sharedContext } from '../conformance/credentials.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const flags = new Set(['record', 'verbose']); // --record writes the answers seen into the reads file (original server only)
const options = { zms: 'https://127.0.0.1:4443', reads: path.join(here, 'reads.json'), jobs: '4' };
for (let args = process.argv.slice(2); args.length; ) {
  const name = args.shift().replace(/^--/, '');
  options[name] = flags.has(name) ? true : args.shift();
}
if (!options.ca || !options['ca-key']) {
  console.error('usage: check.mjs --zms URL --ca CA.pem --ca-key CA.key [--server-ca FILE] [--reads FILE] [--only TEXT] [--jobs N] [--verbose]');
  process.exit(2);
}
configure({ ca: options.ca, caKey: options['ca-key'], serverCa: fs.readFileSync(options['server-ca'] ?? options.ca) });

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const decode = (text) => JSON.parse(Buffer.from(text, 'base64url'));

function get(read) {
  const { agent } = clientFor(sharedContext, read.as);
  return new Promise((resolve, reject) => {
    const request = https.request(`${options.zms.replace(/\/$/, '')}/zms/v1${read.path}`, { method: 'GET', headers: read.headers, agent, timeout: 60000 }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', reject);
    request.end();
  });
}

// Signatures and key ids belong to the server's key, not to the data.
function withoutSignatures(value) {
  if (Array.isArray(value)) return value.map(withoutSignatures);
  if (!isObject(value)) return value;
  if (value.payload && value.protected && value.signature) return { payload: withoutSignatures(decode(value.payload)) };
  const signed = 'signature' in value && 'keyId' in value;
  const kept = Object.entries(value).filter(([name]) => !signed || (name !== 'signature' && name !== 'keyId'));
  return Object.fromEntries(kept.map(([name, item]) => [name, withoutSignatures(item)]));
}

// The part of an answer that is compared: status, ETag and the JSON body.
function observe(read, answer) {
  const seen = { status: answer.status };
  if (read.clock || read.compare === 'status') return seen;
  if (answer.headers.etag) seen.etag = answer.headers.etag;
  if (!/json/.test(answer.headers['content-type'] ?? '') || answer.text === '') return seen;
  try {
    seen.body = withoutSignatures(JSON.parse(answer.text));
    for (const name of read.ignore ?? []) delete seen.body[name];
    if (read.message === 'any' && seen.body?.message) seen.body.message = '<any>';
  } catch {
    seen.body = '<malformed JSON>';
  }
  return seen;
}

// Lists have no order, except the sorted, paged lists of names.
function unordered(value, name) {
  if (Array.isArray(value)) {
    const items = value.map((item) => unordered(item));
    return name === 'names' ? items : items.map((item) => [JSON.stringify(item), item]).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, item]) => item);
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, unordered(value[key], key)]));
}

function differences(expected, got, where = '$', found = []) {
  if (isObject(expected) && isObject(got)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(got)])) differences(expected[key], got[key], `${where}.${key}`, found);
  } else if (Array.isArray(expected) && Array.isArray(got)) {
    for (let i = 0; i < Math.max(expected.length, got.length); i++) differences(expected[i], got[i], `${where}[${i}]`, found);
  } else if (JSON.stringify(expected) !== JSON.stringify(got)) {
    found.push({ at: where, expected: expected === undefined ? '<absent>' : expected, got: got === undefined ? '<absent>' : got });
  }
  return found;
}

function compare(read, seen) {
  const parts = ['status', ...('etag' in read ? ['etag'] : []), ...('body' in read ? ['body'] : [])];
  const arranged = (value) => (read.unordered && value?.names ? { ...value, names: [...value.names].sort() } : unordered(value));
  return parts.flatMap((part) => differences(arranged(read[part]), arranged(seen[part]), `$.${part}`));
}

const asked = ({ status, etag, body, ...rest }) => rest;
const reads = JSON.parse(fs.readFileSync(options.reads, 'utf8')).filter((read) => !options.only || read.path.includes(options.only));
const queue = reads.entries();
const recorded = [];
let failed = 0;
await Promise.all(Array.from({ length: Number(options.jobs) }, async () => {
  for (const [index, read] of queue) {
    const seen = await get(read).then((answer) => observe(read, answer)).catch((error) => ({ status: `no answer: ${error.message}` }));
    if (options.record) {
      recorded[index] = JSON.stringify({ ...asked(read), ...seen });
      continue;
    }
    const found = compare(read, seen);
    if (found.length === 0) continue;
    failed++;
    console.log(`FAIL ${read.as} ${read.path} ${JSON.stringify(options.verbose ? found : found.slice(0, 4)).slice(0, options.verbose ? undefined : 1000)}`);
  }
}));
if (options.record) fs.writeFileSync(options.reads, `[\n${recorded.join(',\n')}\n]\n`);
console.log(`${reads.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 && reads.length > 0 ? 0 : 1);
