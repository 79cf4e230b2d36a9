import { spawnSync } from 'node:child_process'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { ClientCertificate } from './client-certificate.ts'

/** Chromium as Debian and its relatives name it. */
const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome']

/** Rules of WCAG 2.1, levels A and AA, and what axe-core calls best practice. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']

/** How a browser looks at the page. */
export interface Look {
  readonly theme?: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
  /** False: as in a browser that runs none. */
  readonly scripts?: boolean
  /** A certificate of the person, and the one other server that it is shown to. */
  readonly certificate?: ClientCertificate & { readonly origin: string }
}

/** One person's browser window, with cookies of its own. */
export interface Window extends AsyncDisposable {
  readonly page: Page
  /** What should not have happened so far: requests to other servers, errors and refusals of the content policy. */
  readonly incidents: readonly string[]
  /** What axe-core finds on the page as it is, as `rule: element`. */
  accessibilityProblems(): Promise<string[]>
}

/** A headless browser for a test file. */
export interface TestBrowser extends AsyncDisposable {
  /** Opens a window that may ask nobody but the server of `origin`. */
  open(origin: string, look?: Look): Promise<Window>
}

/** Where Chromium is, or why it is not there; `npm test` installs it. */
export function findChromium(): { readonly path: string } | { readonly missing: string } {
  for (const program of PROGRAMS) {
    const { status, stdout } = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], { encoding: 'utf8' })
    if (status === 0) return { path: stdout.trim() }
  }
  return { missing: 'there is no Chromium here: apt-get install chromium' }
}

/** Starts Chromium; it takes about a second. */
export async function startBrowser(path: string): Promise<TestBrowser> {
  const isRoot = process.getuid?.() === 0
  const browser = await chromium.launch({
    executablePath: path,
    // Chromium's own sandbox does not work for root.
    args: [...(isRoot ? ['--no-sandbox'] : []), '--disable-dev-shm-usage', '--font-render-hinting=none'],
  })
  return { open: (origin, look) => openWindow(browser, origin, look), [Symbol.asyncDispose]: () => browser.close() }
}

async function openWindow(browser: Browser, origin: string, look: Look = {}): Promise<Window> {
  const { theme = 'light', width = 1100, height = 800, scripts = true, certificate } = look
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    colorScheme: theme,
    viewport: { width, height },
    javaScriptEnabled: scripts,
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
    locale: 'en-US',
    ...(certificate && {
      clientCertificates: [
        {
          origin: certificate.origin,
          cert: Buffer.from(certificate.certificate),
          key: Buffer.from(certificate.key),
        },
      ],
    }),
  })
  const incidents: string[] = []
  context.on('request', (request) => {
    const url = request.url()
    const isKnown = [origin, certificate?.origin].includes(new URL(url).origin)
    if (!isKnown && !url.startsWith('data:')) incidents.push(`asked another server: ${url}`)
  })
  context.on('weberror', (error) => void incidents.push(`error: ${error.error().message}`))
  context.on('console', (message) => {
    // The browser itself notes answers above 399 as errors; tests look at those.
    const isStatus = message.text().startsWith('Failed to load resource')
    if (message.type() === 'error' && !isStatus) incidents.push(`console: ${message.text()}`)
  })
  const page = await context.newPage()
  return {
    page,
    incidents,
    accessibilityProblems: () => accessibilityProblems(page),
    [Symbol.asyncDispose]: () => context.close(),
  }
}

async function accessibilityProblems(page: Page): Promise<string[]> {
  const { default: axe } = await import('axe-core')
  await page.evaluate(axe.source)
  const found = (await page.evaluate(
    (rules) =>
      (globalThis as unknown as { axe: { run(options: object): Promise<unknown> } }).axe.run({
        runOnly: { type: 'tag', values: rules },
        resultTypes: ['violations'],
      }),
    RULES,
  )) as { violations: { id: string; nodes: { html: string }[] }[] }
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
}

/** How two pictures differ. Cells are squares of {@link CELL} pixels of the style sheet; their mean colours are compared. */
export interface PictureDifference {
  /** Mean difference of the cells' colours, from 0 to 1. */
  readonly mean: number
  /** Share of the cells that clearly differ, from 0 to 1. */
  readonly changed: number
  /** Rows of cells with several that differ at all, by their distance from the top, in pixels of the style sheet. */
  readonly rows: readonly number[]
  /** How much higher the second is than the first, in pixels of the style sheet. */
  readonly higher: number
}

/** Less than the height of a line of text, and less than half of a button. */
const CELL = 16
/** From here on a cell clearly differs, whatever fonts there are. */
const CLEAR_DIFFERENCE = 0.12
/** From here on a cell differs where the fonts are the same. */
const DIFFERENCE = 0.04
/** Cells of a row that may differ: the corner of a letter that moves on is no change. */
const MOST_IN_A_ROW = 1

/** The part of a browser that draws pictures. */
interface Drawing {
  readonly createImageBitmap: (
    this: void,
    picture: Blob,
  ) => Promise<{ readonly width: number; readonly height: number }>
  OffscreenCanvas: new (
    width: number,
    height: number,
  ) => {
    getContext(kind: '2d'): {
      drawImage(picture: object, x: number, y: number): void
      getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray }
    }
  }
}

/**
 * Compares two pictures that were taken with the same `scale`; `page` does the work and may show anything. Where one is
 * higher, the part that both have is compared.
 */
export async function comparePictures(
  page: Page,
  pictures: readonly [Buffer, Buffer],
  scale = 1,
): Promise<PictureDifference> {
  if (pictures[0].equals(pictures[1])) return { mean: 0, changed: 0, rows: [], higher: 0 }
  return page.evaluate(
    async ({ encoded, cell, pixels, clear, slight, most }) => {
      const { createImageBitmap, OffscreenCanvas } = globalThis as unknown as Drawing
      const drawn = async (picture: string) => {
        const bytes = Uint8Array.from(atob(picture), (character) => character.charCodeAt(0))
        const bitmap = await createImageBitmap(new Blob([bytes]))
        const { width, height } = bitmap
        const drawing = new OffscreenCanvas(width, height).getContext('2d')
        drawing.drawImage(bitmap, 0, 0)
        return { width, height, data: drawing.getImageData(0, 0, width, height).data }
      }
      const [a, b] = (await Promise.all(encoded.map(drawn))) as [
        Awaited<ReturnType<typeof drawn>>,
        Awaited<ReturnType<typeof drawn>>,
      ]
      const columns = Math.floor(Math.min(a.width, b.width) / pixels)
      const rowCount = Math.floor(Math.min(a.height, b.height) / pixels)
      const channelMean = ({ width, data }: typeof a, left: number, top: number, channel: number) => {
        let sum = 0
        for (let y = top; y < top + pixels; y++) {
          for (let x = left; x < left + pixels; x++) sum += data[(y * width + x) * 4 + channel] ?? 0
        }
        return sum / pixels ** 2 / 255
      }
      let [sum, changed] = [0, 0]
      const rows: number[] = []
      for (let row = 0; row < rowCount; row++) {
        let different = 0
        for (let column = 0; column < columns; column++) {
          const [left, top] = [column * pixels, row * pixels]
          const difference = Math.max(
            ...[0, 1, 2].map((channel) =>
              Math.abs(channelMean(a, left, top, channel) - channelMean(b, left, top, channel)),
            ),
          )
          sum += difference
          if (difference > clear) changed++
          if (difference > slight) different++
        }
        if (different > most) rows.push(row * cell)
      }
      const cells = Math.max(1, columns * rowCount)
      const higher = ((b.height - a.height) / pixels) * cell
      return { mean: sum / cells, changed: changed / cells, rows, higher }
    },
    {
      encoded: pictures.map((picture) => picture.toString('base64')),
      cell: CELL,
      pixels: CELL * scale,
      clear: CLEAR_DIFFERENCE,
      slight: DIFFERENCE,
      most: MOST_IN_A_ROW,
    },
  )
}

/** Percentage at which a page can still be read, and its cells keep their colours. */
const QUALITY = 50

/**
 * The whole page as a small WebP file, with `scale` pixels for each of the style sheet; always the same for a page that
 * looks the same to the same browser.
 */
export async function smallPicture(page: Page, scale: number): Promise<Buffer> {
  // Playwright makes no such files, and hides the caret, which blinks, in its own alone.
  await page.evaluate("document.documentElement.style.caretColor = 'transparent'")
  const session = await page.context().newCDPSession(page)
  try {
    const { cssContentSize } = await session.send('Page.getLayoutMetrics')
    const { data } = await session.send('Page.captureScreenshot', {
      format: 'webp',
      quality: QUALITY,
      captureBeyondViewport: true,
      clip: { ...cssContentSize, scale },
    })
    return Buffer.from(data, 'base64')
  } finally {
    await session.detach()
  }
}

/** Widths of some letters in the fonts of the style sheet: where these are the same, so are the fonts. */
export function fontWidths(page: Page): Promise<number[]> {
  return page.evaluate(() => {
    const { OffscreenCanvas } = globalThis as unknown as {
      OffscreenCanvas: new (
        width: number,
        height: number,
      ) => { getContext(kind: '2d'): { font: string; measureText(text: string): { readonly width: number } } }
    }
    const drawing = new OffscreenCanvas(1, 1).getContext('2d')
    return ['16px system-ui, sans-serif', '700 16px system-ui, sans-serif', '16px ui-monospace, monospace'].map(
      (font) => {
        drawing.font = font
        return Math.round(drawing.measureText('Hamburgefonstiv 0123456789').width)
      },
    )
  })
}
