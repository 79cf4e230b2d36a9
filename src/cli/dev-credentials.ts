import { loadPrivateKey, publicKeyPem } from '#core/crypto/keys.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { ADMIN_FILES } from './dev-administrator.ts'
import type { DevCa } from './dev-certificates.ts'
import type { DevFolder } from './dev-folder.ts'
import type { PublishedKey } from './dev-registration.ts'
import type { ZmsCredential } from './dev-zms-client.ts'

/** What the administrator of a development folder shows ZMS. */
export async function adminCredential(folder: DevFolder, ca: DevCa): Promise<ZmsCredential> {
  const [certificate = '', key = ''] = await Promise.all([
    folder.read(ADMIN_FILES.certificate),
    folder.read(ADMIN_FILES.key),
  ])
  return { ca: ca.pem, certificate, key }
}

/** The public keys of private ones in a folder of keys, as ZMS keeps them. */
export function publishedKeys(
  folder: DevFolder,
  keysFolder: string,
  keys: readonly { readonly id: string; readonly file: string }[],
): Promise<PublishedKey[]> {
  return Promise.all(
    keys.map(async ({ id, file }) => {
      const key = loadPrivateKey((await folder.read(`${keysFolder}/${file}`)) ?? '')
      return { id, key: encodeYBase64(publicKeyPem(key)) }
    }),
  )
}
