// npm run build:client: writes the package of the client libraries into dist/, or into the folder given.
import { resolve } from 'node:path'
import { PROJECT_FOLDER } from '../architecture/sources.ts'
import { buildClientPackage } from './client-package.ts'

const folder = resolve(process.argv[2] ?? `${PROJECT_FOLDER}/dist`)
const { name, version, files } = await buildClientPackage(folder)
console.log(`${name} ${version}: ${files} files in ${folder}`)
