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
  /** Pixels of a picture for each pixel of the style sheet: a fraction makes small pictures. */
  readonly scale?: number
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
  const { theme = 'light', width = 1100, height = 800, scale = 1, scripts = true, certificate } = look
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    colorScheme: theme,
    viewport: { width, height },
    deviceScaleFactor: scale,
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

/** How two pictures differ. */
export interface PictureDifference {
  /** Mean difference of the cells' colours, from 0 to 1. */
  readonly mean: number
  /** Share of the cells that clearly differ, from 0 to 1. */
  readonly changed: number
}

/** Cells across and down: coarse enough that other fonts make no difference, fine enough that a missing part does. */
const [COLUMNS, ROWS] = [48, 36]
/** From here on a cell clearly differs. */
const CLEAR_DIFFERENCE = 0.12

/** The part of a browser that draws pictures. */
interface Drawing {
  readonly createImageBitmap: (this: void, picture: Blob) => Promise<object>
  OffscreenCanvas: new (
    width: number,
    height: number,
  ) => {
    getContext(kind: '2d'): {
      imageSmoothingQuality: string
      drawImage(picture: object, x: number, y: number, width: number, height: number): void
      getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray }
    }
  }
}

/** Compares two PNG pictures by the mean colours of a grid of cells; `page` does the work and may show anything. */
export function comparePictures(page: Page, first: Buffer, second: Buffer): Promise<PictureDifference> {
  return page.evaluate(
    async ({ pictures, columns, rows, clear }) => {
      const { createImageBitmap, OffscreenCanvas } = globalThis as unknown as Drawing
      const cells = async (picture: string) => {
        const bytes = Uint8Array.from(atob(picture), (character) => character.charCodeAt(0))
        const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
        const canvas = new OffscreenCanvas(columns, rows)
        const drawing = canvas.getContext('2d')
        drawing.imageSmoothingQuality = 'high'
        drawing.drawImage(bitmap, 0, 0, columns, rows)
        return drawing.getImageData(0, 0, columns, rows).data
      }
      const [a, b] = await Promise.all(pictures.map(cells))
      let [sum, changed] = [0, 0]
      for (let cell = 0; cell < columns * rows; cell++) {
        let difference = 0
        for (let channel = 0; channel < 3; channel++) {
          difference += Math.abs((a?.[cell * 4 + channel] ?? 0) - (b?.[cell * 4 + channel] ?? 0)) / 255 / 3
        }
        sum += difference
        if (difference > clear) changed++
      }
      return { mean: sum / (columns * rows), changed: changed / (columns * rows) }
    },
    {
      pictures: [first, second].map((picture) => picture.toString('base64')),
      columns: COLUMNS,
      rows: ROWS,
      clear: CLEAR_DIFFERENCE,
    },
  )
}
