import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { comparePictures, fontWidths, type PictureDifference, smallPicture } from '../../support/browser.ts'

const GOLDEN = new URL('../golden/', import.meta.url)
const FONTS = new URL('fonts.json', GOLDEN)
const FAILED = join(import.meta.dirname, '../../../node_modules/.cache/pictures')
const UPDATES = process.env['UPDATE_GOLDEN'] === '1'

/** Pixels of a picture for each of the style sheet. */
const SCALE = 0.5

/** Half of a line: a page that is that much higher or lower has a line more or less. */
const MOST_HIGHER = 12
/** With other fonts than those of the pictures, lines end elsewhere: only parts that are missing or elsewhere are seen. */
const MOST_WITH_OTHER_FONTS = { mean: 0.05, changed: 0.12 }

/** Whether a browser shows pages with the fonts of the pictures; with `UPDATE_GOLDEN=1` they become those. */
export async function hasGoldenFonts(page: Page): Promise<boolean> {
  const widths = JSON.stringify(await fontWidths(page))
  await mkdir(GOLDEN, { recursive: true })
  if (UPDATES) await writeFile(FONTS, `${widths}\n`)
  return widths === (await readFile(FONTS, 'utf8')).trim()
}

/** Opens everything that is folded away. */
export const unfold = (page: Page): Promise<void> =>
  page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")

/** Writes what is different on each run, such as times and ports, as it is never: a picture shows that it is there. */
const still = (page: Page): Promise<void> =>
  page.evaluate(`
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
      text.data = text.data
        .replaceAll(/\\b20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} UTC/g, '2030-01-31 12:30 UTC')
        .replaceAll(/localhost:[0-9]+/g, 'localhost:4443')
        .replaceAll(/\\b[0-9a-f]{8,}(-[0-9a-f]+)*\\b/g, '01234567')
    }`)

/** The whole page as a picture that does not depend on when it was taken. */
const picture = async (page: Page): Promise<Buffer> => {
  await unfold(page)
  await still(page)
  return smallPicture(page, SCALE)
}

/** How a page differs from the picture that it is to look like, where the fonts are the same; undefined when it does not. */
export async function differenceFromGolden(page: Page, name: string): Promise<string | undefined> {
  return differenceText(
    await comparePictures(page, [await readFile(new URL(name, GOLDEN)), await picture(page)], SCALE),
  )
}

/** What is wrong with a page that is to look like a picture, which `UPDATE_GOLDEN=1` rewrites; nothing when it does. */
export async function pictureProblems(page: Page, name: string, sameFonts: boolean): Promise<string[]> {
  const taken = await picture(page)
  const golden = new URL(name, GOLDEN)
  if (UPDATES) await writeFile(golden, taken)
  const difference = await comparePictures(page, [await readFile(golden), taken], SCALE)
  const text = sameFonts ? differenceText(difference) : largeDifferenceText(difference)
  if (text === undefined) return []
  await mkdir(FAILED, { recursive: true })
  await writeFile(join(FAILED, name), taken)
  return [`${name} ${text}: compare it with node_modules/.cache/pictures/${name}; UPDATE_GOLDEN=1 rewrites it`]
}

function differenceText({ rows, higher }: PictureDifference): string | undefined {
  if (Math.abs(higher) > MOST_HIGHER) return `is ${Math.round(higher)} pixels higher`
  return rows.length === 0 ? undefined : `looks otherwise ${rows.join(', ')} pixels below the top`
}

function largeDifferenceText({ mean, changed }: PictureDifference): string | undefined {
  const isLike = mean <= MOST_WITH_OTHER_FONTS.mean && changed <= MOST_WITH_OTHER_FONTS.changed
  return isLike ? undefined : `looks otherwise (mean ${mean.toFixed(3)}, changed ${changed.toFixed(3)})`
}
