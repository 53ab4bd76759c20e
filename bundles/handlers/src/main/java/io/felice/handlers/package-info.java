/** One class per Kafka API: authorise, translate, call, translate back. */
package io.felice.handlers;
