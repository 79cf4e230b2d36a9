import type { Page } from './page.ts'
import { homePage } from './pages/home.ts'

/** Every page. To add one, add a row. */
export const PAGES: readonly Page[] = [homePage]
