/**
 * Process that accepts one Kerberos token at a time; started by KerberosAuthority with the service principal as its only
 * argument and the files of Kerberos in its environment.
 */
import { type GssapiLibrary, loadGssapiLibrary } from './gssapi-library.ts'
import type { KerberosAnswer, KerberosQuestion } from './kerberos-message.ts'
import { servePool } from './serve-pool.ts'

await servePool(async () => {
  const library = await loadGssapiLibrary(process.argv[2] ?? '')
  return (question: KerberosQuestion) => accept(library, question)
})

function accept(library: GssapiLibrary, { token }: KerberosQuestion): KerberosAnswer {
  try {
    return library.accept(token)
  } catch (error) {
    return { accepted: false, reason: (error as Error).message }
  }
}
