const LONGEST = 254

/**
 * Whether a text is a plain address of one mailbox, `name@host`: no list, no display name, nothing that has a meaning in
 * a header or in SMTP.
 */
export const isMailbox = (text: string): boolean =>
  text.length <= LONGEST && /^[^\s@<>(),;:\\"[\]\p{C}]+@[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?$/u.test(text)
