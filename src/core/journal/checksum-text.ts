/** A CRC-32 as it is written: eight hexadecimal digits. */
export const checksumText = (checksum: number): string => checksum.toString(16).padStart(8, '0')
