/** What calls functions of shared libraries; an optional package. */
export type Koffi = typeof import('koffi')['default']

/** Loads koffi. Throws an Error that names it when it cannot be had. */
export async function importKoffi(): Promise<Koffi> {
  try {
    return (await import('koffi')).default
  } catch (cause) {
    throw new Error('the npm package koffi cannot be loaded', { cause })
  }
}

/** Loads a shared library of the system by its file name. Throws an Error that names it when it cannot be had. */
export function loadNativeLibrary(koffi: Koffi, file: string): ReturnType<Koffi['load']> {
  try {
    return koffi.load(file)
  } catch (cause) {
    throw new Error(`the library ${file} cannot be loaded`, { cause })
  }
}
