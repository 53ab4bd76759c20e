package io.felice.console.access;

import io.felice.api.security.Principal;
import java.time.Instant;

/**
 * A login that lasts for a while.
 *
 * @param id random, so that a session can be ended before its time
 * @param seenAt when the cookie was written
 * @param endsAt when the session ends in any case
 * @param mark of the credentials with which the user has logged in: when they change, the session ends
 */
public record Session(String id, Principal principal, Instant seenAt, Instant endsAt, String mark) {}
