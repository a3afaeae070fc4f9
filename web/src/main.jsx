import 'graphiql/setup-workers/vite';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import '@graphiql/plugin-explorer/style.css';
import 'graphiql/graphiql.css';
import './playground.css';

import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createRoot } from 'react-dom/client';

import { examplesPlugin } from './examples.jsx';
import { playgroundFetcher } from './fetcher.js';
import { headersText } from './headers.js';
import { keepsHeaders, playgroundStorage } from './storage.js';

// endpoint, token, purpose and tabs, as the server put them into the page.
const options = JSON.parse(document.getElementById('options').textContent);
const headers = headersText(options);
const fetcher = playgroundFetcher(options);
const storage = playgroundStorage(options, headers);
const plugins = [HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];
if (options.tabs.length) plugins.unshift(examplesPlugin(options.tabs));

createRoot(document.getElementById('playground')).render(
  <GraphiQL
    fetcher={fetcher}
    storage={storage}
    plugins={plugins}
    defaultTabs={options.tabs.length ? options.tabs.map(({ query, variables }) => ({ query, variables })) : undefined}
    defaultQuery=""
    defaultHeaders={headers}
    defaultEditorToolsVisibility={options.token ? 'variables' : 'headers'}
    shouldPersistHeaders={keepsHeaders(options)}
    showPersistHeadersSettings={!options.token}
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>Acquaint</GraphiQL.Logo>
  </GraphiQL>,
);
