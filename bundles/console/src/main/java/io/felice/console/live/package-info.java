/** Live data: server-sent events, the numbers of the last hour, and actions that take a while. */
package io.felice.console.live;
