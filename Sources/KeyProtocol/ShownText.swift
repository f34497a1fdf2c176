/// Foreign text made fit for a line of a log: no control characters, no line breaks, nothing that
/// turns the direction of writing, not endless.
public enum ShownText {
    /// Replaces by `?` what could be mistaken for something else, and cuts off what is too long.
    ///
    /// - Parameters:
    ///   - text: Anything.
    ///   - limit: The most characters to show.
    /// - Returns: One line.
    public static func make(
        _ text: some StringProtocol,
        limit: Int = UnlockLimits.maximumShownCount
    ) -> String {
        var shown = ""
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < limit else { return shown + "…" }
            shown.unicodeScalars.append(isFit(scalar) ? scalar : "?")
            count += 1
        }
        return shown
    }

    private static func isFit(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
            .unassigned:
            false
        default:
            true
        }
    }
}
