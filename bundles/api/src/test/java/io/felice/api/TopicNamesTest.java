package io.felice.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopicNamesTest {
    @ParameterizedTest
    @ValueSource(strings = {"a", "orders", "a.b_c-D9", "...", "__consumer_offsets"})
    void aNameOfLegalCharactersIsValid(String name) {
        assertThat(TopicNames.isValid(name)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a b", "a/b", "\u00fcber", "a\n"})
    void anEmptyNameADotNameOrAnIllegalCharacterIsRefused(String name) {
        assertThat(TopicNames.isValid(name)).isFalse();
        assertThatThrownBy(() -> TopicNames.check(name))
                .isInstanceOf(FeliceException.class)
                .hasMessageStartingWith("Topic name is invalid: ");
    }

    @Test
    void theLongestNameHas249Characters() {
        assertThat(TopicNames.isValid("x".repeat(249))).isTrue();
        assertThat(TopicNames.isValid("x".repeat(250))).isFalse();
    }

    @Test
    void namesThatDifferOnlyInDotsAndUnderscoresCollide() {
        assertThat(TopicNames.collide("a.b", "a_b")).isTrue();
        assertThat(TopicNames.collide("a.b", "a.b")).isFalse();
        assertThat(TopicNames.collide("a.b", "a-b")).isFalse();
        assertThat(TopicNames.mayCollide("a.b")).isTrue();
        assertThat(TopicNames.mayCollide("a_b")).isTrue();
        assertThat(TopicNames.mayCollide("a-b")).isFalse();
    }
}
