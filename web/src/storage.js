// What GraphiQL keeps in the browser between visits.
//
// Names are the playground's own, so that another GraphiQL that ran on this port does not lend its tabs. Headers are
// kept only when there is no token in the page and the user chose so in the settings: a token that the server puts into
// the page is new at each start of the server, and one that was kept must never stand in for it.

import { createLocalStorage } from '@graphiql/toolkit';

const local = createLocalStorage({ namespace: 'acquaint' });

const CHOICE = 'graphiql:shouldPersistHeaders';
const TABS = 'graphiql:tabState';
const HISTORY = ['graphiql:queries', 'graphiql:favorites'];

// GraphiQL keeps the editors' texts beside the tabs, and opens one more tab where the two differ. The tabs alone count.
const EDITORS = { 'graphiql:query': 'query', 'graphiql:variables': 'variables', 'graphiql:headers': 'headers' };

// Tabs and history are kept alike: an object with one list of entries that each have their headers.
function withHeaders(text, headers) {
  const kept = JSON.parse(text);
  for (const list of Object.values(kept).filter(Array.isArray)) {
    for (const entry of list) entry.headers = headers;
  }
  return JSON.stringify(kept);
}

/** Whether the user chose to keep headers, where that choice is theirs. */
export function keepsHeaders({ token }) {
  return !token && local.getItem(CHOICE) === 'true';
}

/** A Storage whose tabs and history come back with the headers that hold now, given as the header editor's text. */
export function playgroundStorage(options, headers) {
  function kept(key) {
    const text = local.getItem(key);
    if (!text || keepsHeaders(options)) return text;
    // A tab without headers opens with the current ones; a history entry without them would empty the editor.
    if (key === TABS) return withHeaders(text, null);
    return HISTORY.includes(key) ? withHeaders(text, headers) : text;
  }
  function activeTab() {
    const state = JSON.parse(kept(TABS));
    return state ? state.tabs[state.activeTabIndex] : options.tabs[0];
  }
  return {
    get length() {
      return local.length;
    },
    clear: () => local.clear(),
    removeItem: (key) => local.removeItem(key),
    getItem(key) {
      try {
        return key in EDITORS ? (activeTab()?.[EDITORS[key]] ?? null) : kept(key);
      } catch {
        return null; // what is kept is not what GraphiQL wrote: start afresh
      }
    },
    setItem(key, text) {
      if (key in EDITORS) return;
      const bare = !keepsHeaders(options) && (key === TABS || HISTORY.includes(key));
      local.setItem(key, bare ? withHeaders(text, null) : text);
    },
  };
}
