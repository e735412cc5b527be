"""The long stories of the practice partner, as data. Each is longer than half a minute when it is said."""

from __future__ import annotations

from typing import Final

STORIES: Final[tuple[tuple[str, ...], ...]] = (
    (
        "On a small island in the north there was a lighthouse, and in it lived a woman called Marta.",
        "Every evening she climbed the hundred and four steps, cleaned the glass and lit the lamp.",
        "Every morning she put it out, wrote one line into her book and went down to have breakfast.",
        "Nothing ever happened, and the lines in the book said so.",
        "One night in autumn the fog was so thick that she could not see her own hand on the rail.",
        "She lit the lamp, but the light ended right behind the window, as if someone had hung a sheet there.",
        "Then, somewhere below, she heard a boat, and a voice that was singing, badly and quite without fear.",
        "Marta thought for a moment, and then she did what no rule in her book told her to do.",
        "She opened the window and sang the second voice.",
        "The singing in the fog stopped, and then it went on, a little closer and a little louder.",
        "So they sang every song that both of them knew, and after that they sang the ones that only one of them knew.",
        "When the sun came up there was a small red boat on the beach, and a boy asleep in it under a sail.",
        "He had rowed out to catch one fish, and he had lost his oars, his lamp and all sense of where he was.",
        "Marta made him porridge, gave him two old oars, and showed him the way home.",
        "In the evening she climbed the hundred and four steps again, cleaned the glass and lit the lamp.",
        "But before that she opened her book, and under the date she wrote: Fog, and music.",
    ),
    (
        "In a town by a river there was a clockmaker who owned one clock that he could not repair.",
        "It was tall and made of pear wood, and it ran exactly as it liked.",
        "On some days it hurried through the morning and was tired by noon.",
        "On others it stood still for an hour, and then it struck seven times, although it was three.",
        "The clockmaker cleaned it, oiled it, and took it apart down to the last screw, and nothing helped.",
        "One winter his granddaughter came to stay with him, and she sat down in front of it with a pencil.",
        "She wrote down every time that it stopped and every time that it ran, for eleven days.",
        "Then she said that the clock was not broken, because it was simply listening.",
        "When the street was full of people it ran fast, and when everybody was asleep it rested.",
        "At seven strokes, she said, the baker on the corner laughs, because that is when his brother comes in.",
        "The old man did not believe it, but he went out and stood at the corner with his watch in his hand.",
        "At three in the afternoon the brother came, the baker laughed, and up the street he heard seven strokes.",
        "From that day on he never tried to repair it again.",
        "People came from far away to ask the right time, and he looked at his watch and told them.",
        "But if they asked him how the day was going, he took them to the tall clock and let them hear it.",
    ),
)
