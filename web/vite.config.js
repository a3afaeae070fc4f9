import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    target: 'es2022',
    // The licences of what is built in, which ask to go along with it.
    license: { fileName: 'licenses.md' },
    // A file each, so that the content security policy needs no data: for scripts and fonts.
    assetsInlineLimit: 0,
    // The editor is one large chunk whichever way it is cut; it comes from the same machine.
    chunkSizeWarningLimit: 4096,
    // Every browser that takes es2022 knows modulepreload by itself.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Libraries apart from our own few lines, so that editing those leaves the large files as they are.
      output: {
        codeSplitting: {
          groups: [{ name: 'graphiql', test: /node_modules\/(?!monaco-|prettier|graphql-ws)/ }],
        },
      },
      // Libraries mark modules for React's server side, which there is none of here.
      checks: { moduleLevelDirective: false },
    },
  },
  worker: { format: 'es' },
});
