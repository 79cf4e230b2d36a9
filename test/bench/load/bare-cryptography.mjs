// The bare server that reads what it is sent, and whose every answer costs cryptography first. argv: key cert ca bytes work...,
// with the bytes of an answer; prints its port. Work is done where it takes the event loop the least time: on it, or on the
// thread pool.
import https from 'node:https'
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'

const text = Buffer.alloc(500, 'x')
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

const onThreadPool = (start) =>
  new Promise((resolve, reject) => start((error, result) => (error ? reject(error) : resolve(result))))

const WORK = {
  'sign-ec'() {
    const { privateKey } = ec()
    return () => sign('sha256', text, privateKey)
  },
  'sign-rsa'() {
    const { privateKey } = rsa()
    return () => onThreadPool((done) => sign('sha256', text, privateKey, done))
  },
  'verify-rsa'() {
    const { privateKey, publicKey } = rsa()
    const signature = sign('sha256', text, privateKey)
    return () => verify('sha256', text, publicKey, signature)
  },
  // The key of a certificate request is another one each time: it has to be read.
  'verify-request-ec'() {
    const { privateKey, publicKey } = ec()
    const signature = sign('sha256', text, privateKey)
    const pem = publicKey.export({ type: 'spki', format: 'pem' })
    return () => {
      const key = createPublicKey(pem)
      return onThreadPool((done) => verify('sha256', text, key, signature, done))
    }
  },
}

const [keyFile, certFile, caFile, bytes, ...names] = process.argv.slice(2)
const [key, cert, ca] = [keyFile, certFile, caFile].map((file) => readFileSync(file))
const steps = names.map((name) => WORK[name]())
const body = JSON.stringify({ granted: true, padding: '' }).replace('""', `"${'x'.repeat(Math.max(0, Number(bytes) - 29))}"`)
const server = https.createServer(
  { key, cert, ca, requestCert: true, rejectUnauthorized: false },
  async (request, response) => {
    for await (const _ of request);
    for (const step of steps) {
      const pending = step()
      if (pending instanceof Promise) await pending
    }
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
    response.end(body)
  },
)
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
