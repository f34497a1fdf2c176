@testable import VolumeFormat

/// Names that are awkward for someone: a few hundred, the same in every run.
enum SampleNames {
    /// Those that rclone's own form of a name and a Linux directory's can both hold.
    static let common = all.filter { LocalStorageNames.decode(LocalStorageNames.encode($0)) == $0 }

    /// The rest: raw control characters, a quote that quotes nothing.
    static let uncommon = all.filter {
        LocalStorageNames.decode(LocalStorageNames.encode($0)) != $0
    }

    /// Each at most 143 bytes: what base32 fits into a directory entry.
    static let all: [[UInt8]] = {
        var names: [[UInt8]] = []
        names += (1...143).map { [UInt8](repeating: UInt8(ascii: "x"), count: $0) }
        names += [
            " ", "  ", " leading", "trailing ", "in the middle", "\t", "tab\tin it", "line\nbreak",
            "\r", "...", "....", ".hidden", "..hidden", "a.", "a..", "dot.", ".a.b.c.", "a.b.c.txt",
            "-", "--", "-rf", "~", "~root", "*", "?", "[a]", "{b,c}", "$HOME", "`id`", "'", "\"",
            "\\", "\\n", "a\\b", ":", "C:", "<>", "|", ";", "&", "%41", "%(x)s", "#", "@", "!",
            "!!",
            "!.", "!.x", "x!y!z", "12.x", "0123456789", "5.abc", "255.", "256.x", "=", "a=b", "+",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "Aa", "aA", "README.md",
            "é", "e\u{301}", "ü", "u\u{308}", "ß", "ẞ", "ﬁ", "²", "½", "Å", "Å", "K", "\u{a0}",
            "\u{ad}", "¡¢£¤¥¦§¨©ª«¬®¯°±²³´µ¶·¸¹º»¼½¾¿", "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß",
            "àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ", "Ā", "ſ", "ǅ", "Ωμέγα", "русский файл", "עברית",
            "العربية", "हिन्दी", "ไทย", "한국어", "日本語", "中文文件.txt", "ｆｕｌｌ　ｗｉｄｔｈ", "😀", "👩‍👩‍👧‍👦",
            "🇩🇪", "a😀b", "\u{10ffff}", "\u{fffd}", "\u{fffe}", "\u{ffff}", "\u{e000}", "\u{feff}",
            "\u{200b}", "\u{202e}abc", "\u{85}", "\u{2028}", "\u{1}", "\u{1f}", "\u{7f}", "\u{80}",
            "\u{9f}", "\u{d7ff}\u{e000}", "‛", "‛‛", "␀", "‛␀", "a␀b", "／", "a／b",
            "‛／", "．", "．．", "．．．", "‛．", "␁", "␡", "＊", "：", "｜", "link.rclonelink", "x.bin",
            ".bin", "bin", "x.BIN", "desktop.ini", "con", "nul",
            // With the time of a version, or nearly so.
            "report-v2001-02-03-040506-123.txt", "report-v2001-02-03-040506-123",
            "a.b-v2020-02-29-235959-999.c", "-v2001-02-03-040506-123", "x-v2001-02-03-040506-123.",
            "n-v2001-02-03-040506-123-v2002-02-03-040506-123.tar.gz",
            "n-v2001-13-03-040506-123.txt", "n-v2001-02-30-040506-123.txt",
            "n-v1900-02-29-000000-000",
            "n-v2001-02-03-240506-123.txt", "n-v2001-02-03-040506.123.txt",
            "n-v2001-02-03-040506-123x",
            ".n-v2001-02-03-040506-123", "n-v0000-02-29-000000-000", "n-v2001-00-03-040506-123",
        ].map { Array($0.utf8) }
        // Not UTF-8.
        names += [
            [0x80], [0xff], [0xc3], [0x61, 0xff, 0x62], [0xed, 0xa0, 0x80], [0xc0, 0xaf],
            [0xf8, 0x88, 0x80, 0x80, 0x80], [0xe2, 0x90], [0xe2, 0x90, 0x80, 0xff],
            [0xff, 0xe2, 0x80, 0x9b],
            [0xf0, 0xe2, 0x90, 0x80], [0x31, 0x2e, 0xff],
        ]
        // Every byte that a name can have, at every place in a block of 16.
        for byte in UInt8(1)...255 where byte != 0x2f && byte != 0x2e {
            names.append([byte] + Array("byte \(byte)".utf8))
        }
        for count in [15, 16, 17, 31, 32, 33, 47, 48, 49] {
            names.append(
                Array("0123456789".utf8) + [UInt8](repeating: UInt8(ascii: "e"), count: count)
            )
        }
        return Array(Set(names))
    }()
}
