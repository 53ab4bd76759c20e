package io.felice.testkit;

import java.util.function.UnaryOperator;

/**
 * A mistake that a plugin could have. It is put into a good one, and the contract must fail.
 *
 * @param caughtBy the test of the contract that must fail
 * @param into makes a plugin with the mistake from a good one
 */
record PluginBug<T>(String name, String caughtBy, UnaryOperator<T> into) {}
