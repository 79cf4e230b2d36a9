import { X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'
import { z } from 'zod'
import { readConfigFile } from '#core/config/config-file.ts'
import { pemBlocks } from '#core/crypto/pem.ts'

const PROPERTY = 'athenz.zts.cert_authority_bundles_fname'

const BundlesFile = z.object({
  certBundles: z
    .array(z.object({ name: z.string().min(1), type: z.string().optional(), filename: z.string().min(1) }))
    .min(1),
})

/** Bundles of authorities that clients may ask for by name. */
export class CaBundles {
  readonly #texts: ReadonlyMap<string, string>

  private constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts
  }

  /**
   * Reads a file `{"certBundles":[{"name":"athenz","type":"x509","filename":"ca.pem"}]}` and the files that it names;
   * relative ones count from the root directory. Of bundles of type `x509` only the certificates are kept, without what
   * stands around them. Throws a ConfigError that says what cannot be used.
   */
  static async read(file: string | undefined, rootDirectory: string): Promise<CaBundles> {
    if (file === undefined) return new CaBundles(new Map())
    const { certBundles } = await readConfigFile(PROPERTY, file, (text) => BundlesFile.parse(JSON.parse(text)))
    const texts = certBundles.map(async ({ name, type, filename }): Promise<[string, string]> => {
      const isX509 = type?.toLowerCase() === 'x509'
      const path = resolve(rootDirectory, filename)
      const text = await readConfigFile(PROPERTY, path, (content) => (isX509 ? certificatesOf(content) : content))
      return [name.toLowerCase(), text]
    })
    return new CaBundles(new Map(await Promise.all(texts)))
  }

  /** The bundle with that name in lower case. */
  get(name: string): string | undefined {
    return this.#texts.get(name)
  }
}

function certificatesOf(text: string): string {
  const blocks = pemBlocks(text).filter(({ label }) => label === 'CERTIFICATE')
  if (blocks.length === 0) throw new Error('there is no certificate')
  return blocks.map((block) => new X509Certificate(block.text).toString()).join('')
}
