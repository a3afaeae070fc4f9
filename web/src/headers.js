// What the header editor holds when a tab opens, and what becomes of it on the way to the server.

const PLACEHOLDER = 'Bearer <token>';
const SPELLING = { authorization: 'Authorization', 'acquaint-purpose': 'Acquaint-Purpose' };

/** The headers of a request whose editor is empty. */
export function defaultHeaders({ token, purpose }) {
  const headers = {};
  if (token) headers['Authorization'] = `Bearer ${token}`;
  if (purpose) headers['Acquaint-Purpose'] = purpose;
  return headers;
}

/** The text that every tab's header editor starts with. */
export function headersText({ token, purpose }) {
  if (token) return JSON.stringify(defaultHeaders({ token, purpose }), null, 2);
  return `{
  // acquaint token --scope individuals:read --purposes analytics
  "Authorization": "${PLACEHOLDER}",
  // Why you read. It decides who is in the answer.
  "Acquaint-Purpose": "${purpose || 'analytics'}"
}`;
}

/**
 * The headers as they are sent. For a subscription they travel in the connection's parameters, where names are
 * case-sensitive, so the two that matter get the spelling that the server looks for. The placeholder is left out, so
 * that the answer is that a token is missing and not that it is malformed.
 */
export function outgoingHeaders(headers) {
  return Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [SPELLING[name.toLowerCase()] ?? name, value])
      .filter(([, value]) => value !== PLACEHOLDER),
  );
}
