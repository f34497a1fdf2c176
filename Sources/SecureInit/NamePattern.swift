/// A variable's name, or how names begin: `NAME` or `NAME*`.
struct NamePattern {
    private let letters: [UInt8]
    private let isBeginning: Bool

    /// Reads a pattern; nil where it is empty, or holds `=` or a `*` that is not its end.
    init?(parsing text: Substring) {
        let isBeginning = text.utf8.last == UInt8(ascii: "*")
        let letters = Array(text.utf8.dropLast(isBeginning ? 1 : 0))
        guard isBeginning || !letters.isEmpty,
            !letters.contains(UInt8(ascii: "=")), !letters.contains(UInt8(ascii: "*"))
        else { return nil }
        self.isBeginning = isBeginning
        self.letters = letters
    }

    /// Whether it stands for this name.
    func matches(_ name: UnsafeRawBufferPointer) -> Bool {
        isBeginning ? name.starts(with: letters) : name.elementsEqual(letters)
    }
}
