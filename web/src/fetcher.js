import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { getIntrospectionQuery } from 'graphql';

import { defaultHeaders, outgoingHeaders } from './headers.js';

// GraphiQL's own question leaves out which inputs are @oneOf, and the editor would take two members for valid.
const INTROSPECTION = getIntrospectionQuery({ oneOf: true, inputValueDeprecation: true, schemaDescription: true });

/** Sends operations to the endpoint of this origin: by POST, and subscriptions over graphql-transport-ws. */
export function playgroundFetcher(options) {
  const endpoint = new URL(options.endpoint, window.location.href);
  const socket = new URL(endpoint);
  socket.protocol = endpoint.protocol === 'https:' ? 'wss:' : 'ws:';

  const fetcher = createGraphiQLFetcher({
    url: endpoint.href,
    subscriptionUrl: socket.href, // the request's headers go along as connection parameters
    enableIncrementalDelivery: false,
  });
  return (params, context) => {
    const query = params.operationName === 'IntrospectionQuery' ? INTROSPECTION : params.query;
    const headers = outgoingHeaders(context?.headers ?? defaultHeaders(options));
    return fetcher({ ...params, query }, { ...context, headers });
  };
}
