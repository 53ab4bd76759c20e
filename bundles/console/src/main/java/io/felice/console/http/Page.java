package io.felice.console.http;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * A part of a list.
 *
 * @param unreachable brokers that were not asked; null if all were
 */
public record Page<T>(List<T> items, int total, int offset, List<Unreachable> unreachable) {
    private static final int MOST = 1_000;
    private static final int USUAL = 200;

    /** A broker that did not answer. */
    public record Unreachable(int broker, String reason) {}

    /** A list with all its items, because there are few. */
    public static <T> Page<T> all(List<T> items) {
        return new Page<>(items, items.size(), 0, null);
    }

    /**
     * The part of a list that a request asks for. Only the items of that part are made.
     *
     * @param all in the order in which they are listed unless the request says otherwise
     * @param orders what a request may sort by; all of them are cheap
     */
    public static <S, T> Page<T> of(
            ApiRequest request,
            List<S> all,
            Function<S, String> name,
            Map<String, Comparator<S>> orders,
            Function<List<S>, List<T>> made) {
        List<S> found = new ArrayList<>(all);
        request.query("q")
                .map(text -> text.toLowerCase(Locale.ROOT))
                .ifPresent(wanted -> found.removeIf(
                        each -> !name.apply(each).toLowerCase(Locale.ROOT).contains(wanted)));
        request.query("sort").ifPresent(sort -> found.sort(order(sort, name, orders)));
        int offset = request.query("offset", 0, Integer.MAX_VALUE, 0);
        int limit = request.query("limit", 1, MOST, USUAL);
        int from = Math.min(offset, found.size());
        int to = (int) Math.min((long) from + limit, found.size());
        return new Page<>(made.apply(found.subList(from, to)), found.size(), from, null);
    }

    private static <S> Comparator<S> order(String sort, Function<S, String> name, Map<String, Comparator<S>> orders) {
        boolean isDescending = sort.startsWith("-");
        String member = isDescending ? sort.substring(1) : sort;
        Comparator<S> order = member.equals("name") ? Comparator.comparing(name) : orders.get(member);
        if (order == null) {
            throw Problem.invalid("This list cannot be sorted by " + member + ", only by name"
                    + orders.keySet().stream().sorted().map(each -> ", " + each).reduce("", String::concat) + ".");
        }
        Comparator<S> directed = isDescending ? order.reversed() : order;
        return directed.thenComparing(name);
    }

    public Page<T> without(List<Unreachable> missing) {
        return new Page<>(items, total, offset, missing.isEmpty() ? null : missing);
    }
}
