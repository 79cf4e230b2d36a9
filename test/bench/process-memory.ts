import { readFile } from 'node:fs/promises'

const KIB_PER_MIB = 1024

/** Memory of a process in MiB: resident, the part that belongs to it alone, and pages of files, which all processes share. */
export async function memoryOf(pid: number) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / KIB_PER_MIB
  return { residentMib: mib('VmRSS'), ownMib: mib('RssAnon'), fileMib: mib('RssFile') }
}

/** Resident memory of a process in MiB. */
export const residentMebibytes = async (pid: number): Promise<number> => (await memoryOf(pid)).residentMib
