import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';

function Icon(props) {
  return (
    <svg viewBox="0 0 24 24" height="1em" fill="none" stroke="currentColor" strokeWidth="1.5" {...props}>
      <path d="M12 6.5C10 5 7 4.5 3 4.5v14c4 0 7 .5 9 2 2-1.5 5-2 9-2v-14c-4 0-7 .5-9 2zm0 0v14" strokeLinejoin="round" />
    </svg>
  );
}

/** A panel that opens any of the examples, also after its first tab was closed or changed. */
export function examplesPlugin(examples) {
  function Examples() {
    const { addTab, changeTab } = useGraphiQLActions();
    const { queryEditor, variableEditor, tabs } = useGraphiQL(({ queryEditor, variableEditor, tabs }) => ({
      queryEditor,
      variableEditor,
      tabs,
    }));
    const open = ({ query, variables }) => {
      const at = tabs.findIndex((tab) => tab.query === query);
      if (at >= 0) {
        changeTab(at);
      } else {
        addTab();
        queryEditor?.setValue(query);
        variableEditor?.setValue(variables);
      }
      requestAnimationFrame(() => document.querySelector('.graphiql-tab-active')?.scrollIntoView({ block: 'nearest' }));
    };
    return (
      <section aria-label="Examples" className="examples">
        <div className="examples-title">Examples</div>
        <ul>
          {examples.map((example) => (
            <li key={example.name}>
              <button type="button" className="graphiql-un-styled" onClick={() => open(example)}>
                {example.name}
              </button>
              <p>{introduction(example.query)}</p>
            </li>
          ))}
        </ul>
      </section>
    );
  }
  return { title: 'Examples', icon: Icon, content: Examples };
}

// The comment that a query starts with.
function introduction(query) {
  const lines = query.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('#'));
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .map((line) => line.replace(/^#\s*/, ''))
    .join(' ');
}
