import { copyFile, mkdir, open, readFile, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isName } from '#core/names/patterns.ts'
import { type PolicyDocument, type PolicyVerification, readPolicyDocument } from '#zpe/policy-document.ts'

/** Folders of policy files. */
export interface PolicyFolders {
  readonly policyFolder: string
  readonly temporaryFolder: string
}

const FOLDER_MODE = 0o755
const FILE_MODE = 0o755

/** The policy file of a domain. Throws a RangeError for what is no name of a domain. */
export const policyFile = ({ policyFolder }: PolicyFolders, domain: string): string =>
  join(policyFolder, `${checked(domain)}.pol`)

/**
 * The policies in the file of a domain; undefined when there is no such file.
 * @throws UnusablePolicies when its signature does not hold
 */
export async function readPolicyFile(
  folders: PolicyFolders,
  domain: string,
  verification: PolicyVerification,
): Promise<PolicyDocument | undefined> {
  let text: Buffer
  try {
    text = await readFile(policyFile(folders, domain))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return readPolicyDocument(text, verification)
}

/** Replaces the policy file of a domain in one step, so that readers and a crash find the former one or the new one. */
export async function writePolicyFile(folders: PolicyFolders, domain: string, text: string): Promise<void> {
  const { policyFolder, temporaryFolder } = folders
  const file = policyFile(folders, domain)
  const temporary = join(temporaryFolder, `${domain}.tmp`)
  await mkdir(policyFolder, { recursive: true, mode: FOLDER_MODE })
  await mkdir(temporaryFolder, { recursive: true, mode: FOLDER_MODE })
  try {
    await writeDurably(temporary, text)
    await replace(temporary, file)
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw error
  }
  await syncFolder(policyFolder)
}

function checked(domain: string): string {
  if (!isName('DomainName', domain)) throw new RangeError(`${JSON.stringify(domain)} is no name of a domain`)
  return domain
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w', FILE_MODE)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A folder for temporary files may be on another file system, from which nothing can be renamed. */
async function replace(temporary: string, file: string): Promise<void> {
  try {
    await rename(temporary, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    const beside = `${file}.tmp`
    await copyFile(temporary, beside)
    await rename(beside, file)
    await unlink(temporary)
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
