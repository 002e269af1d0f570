// What src/timed/jsonc.ts has of jsonc-parser; tools/build.mjs makes one module of it.
export { printParseErrorCode, visit } from 'jsonc-parser';
