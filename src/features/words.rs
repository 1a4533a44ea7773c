//! The words that tell a language or a kind of task. Words of two languages stand in the lists of both.

use super::table::{Table, table};

/// Bits of languages, in the order of `language::LATIN`.
pub(super) const LANGUAGES: u32 = 0x3_ffff;
/// Before a letter that few languages have.
pub(super) const LETTER: u32 = 0x5e;

/// The task asks for thought rather than knowledge.
pub(super) const REASON: u32 = 1 << 18;
/// Something is to be made that has parts which must fit.
pub(super) const BUILD: u32 = 1 << 19;
/// A constraint the answer is held to.
pub(super) const RULE: u32 = 1 << 20;
/// A language, tool or notion of programming.
pub(super) const CODE: u32 = 1 << 21;
/// Mathematics, physics, statistics.
pub(super) const MATH: u32 = 1 << 22;
/// A task that small models do well.
pub(super) const SIMPLE: u32 = 1 << 23;
/// Pleasantries, where no task is set.
pub(super) const CHAT: u32 = 1 << 24;
/// How questions of one fact begin.
pub(super) const FACT: u32 = 1 << 25;
/// Something went wrong, and the trace of it is shown.
pub(super) const TRACE: u32 = 1 << 26;

const fn bit(language: u32) -> u32 {
    1 << language
}

pub(super) static WORDS: Table = table(&[
    // The most frequent words of each language.
    (
        bit(0),
        "the of and to in is that it for was on with be or not you are this what how why who i my from have can do an \
         which your when where write does should would there please explain give me",
    ),
    (
        bit(1),
        "der die das und ist in zu den mit nicht von ein eine einen einem für auf im wie was warum ich du sie es wird \
         werden dem des auch wir bitte mir kann über sind oder wenn dass bei nach ihr gibt welche schreibe",
    ),
    (
        bit(2),
        "le la les de des du un une et est en que qui dans pour sur pas avec il elle je vous nous au aux ce cette ces \
         sont comment pourquoi quel quelle mon moi plus par ou ne se l d qu c j y peux tu",
    ),
    (
        bit(3),
        "el la los las de del un una y es en que por para con no se lo su como qué cómo cuál cuáles más al mi este \
         esta pero son yo le o está hay tiene quiero puedes sobre entre dónde",
    ),
    (
        bit(4),
        "o a os as de do da dos das um uma e é em que por para com não se no na como qual quais mais ao eu meu minha \
         este esta isso são você mas ou pelo pela nos está quero sobre entre seu sua foi me",
    ),
    (
        bit(5),
        "il lo la i gli le di del della dei un una e è in che per con non si come cosa quale quali più al mi questo \
         questa sono ma o nel nella da dal perché io ho ha anche tra tutti alla mio puoi",
    ),
    (
        bit(6),
        "de het een en is in van dat op te voor met niet zijn aan er ik je wat hoe waarom die dit bij ook naar als \
         maar om door over uit kan worden wordt mijn kun deze welke tussen geen heeft",
    ),
    (
        bit(7),
        "w i z na do nie się jest to że jak co o od za po dla czy są który która ten ta mi ale przez oraz tego jaki \
         jaka proszę napisz mój być może lub dlaczego gdy a mam",
    ),
    (
        bit(8),
        "bir ve bu için ile ne nasıl neden de da mi mı mu mü ben sen olan olarak çok daha gibi kadar var yok en bana \
         hangi şu ama veya ise değil kim nedir lütfen olduğunu yaz",
    ),
    (
        bit(9),
        "là của và một các cho không có trong với được người này những tôi bạn như thế nào gì tại sao để khi đã sẽ \
         hãy viết về từ ở đó hay cách theo cái con",
    ),
    (
        bit(10),
        "yang dan di ke dari untuk dengan ini itu adalah pada tidak apa bagaimana mengapa saya anda akan dalam atau \
         bisa ada buatkan oleh sebagai juga karena kita jelaskan tolong tentang lebih sebuah jika kami dapat apakah \
         seperti",
    ),
    (
        bit(11),
        "och att det en är i som på för med av inte den till jag du ett om hur vad varför har var från kan de eller \
         vi mig min ska när skriv mellan vilka vilken",
    ),
    (
        bit(12),
        "og at det en er i som på for med af ikke den til jeg du et om hvordan hvad hvorfor har var fra kan de eller \
         vi mig min skal når skriv mellem hvilke hvilken være",
    ),
    (
        bit(13),
        "og at det en er i som på for med av ikke den til jeg du et om hvordan hva hvorfor har var fra kan de eller \
         vi meg min skal når skriv mellom hvilke hvilken være",
    ),
    (
        bit(14),
        "a je v se na to že s z do jak co pro jsou ale jsem by kde proč mi nebo podle který která při aby od jako \
         jaký napiš může být mám tento ve",
    ),
    (
        bit(15),
        "și în de la cu pe un o este nu care ce cum pentru din mai sunt că al ale lui să se prin dar sau între unde \
         mi am ai vă rog acest această scrie",
    ),
    (
        bit(16),
        "a az és hogy nem egy is van mi mit hogyan miért ez de meg ki be csak mint volt vagy kell lehet én te ezt azt \
         kérlek írj milyen hol között amely",
    ),
    (
        bit(17),
        "ja on ei että se hän mutta kun kuin niin ovat mikä miten miksi oli minä sinä tämä voi mitä olen sen joka tai \
         myös ole kanssa kirjoita missä mitkä",
    ),
    // Letters beyond ASCII, each as good as a frequent word.
    (bit(1), "^ä ^ö ^ü ^ß"),
    (bit(2), "^à ^â ^ç ^é ^è ^ê ^î ^ô ^û ^ù ^œ"),
    (bit(3), "^á ^é ^í ^ó ^ú ^ñ ^¿ ^¡"),
    (bit(4), "^á ^â ^ã ^à ^ç ^é ^ê ^í ^ó ^ô ^õ ^ú"),
    (bit(5), "^à ^è ^é ^ì ^ò ^ù"),
    (bit(6), "^ë ^ï"),
    (bit(7), "^ą ^ć ^ę ^ł ^ń ^ó ^ś ^ź ^ż"),
    (bit(8), "^ç ^ğ ^ı ^ö ^ş ^ü"),
    (bit(9), "^đ ^ơ ^ư ^ă ^â ^ê ^ô"),
    (bit(11), "^å ^ä ^ö"),
    (bit(12) | bit(13), "^å ^æ ^ø"),
    (bit(14), "^á ^č ^ď ^é ^ě ^í ^ň ^ř ^š ^ť ^ú ^ů ^ý ^ž"),
    (bit(15), "^ă ^â ^î ^ș ^ț"),
    (bit(16), "^á ^é ^í ^ó ^ö ^ő ^ú ^ü ^ű"),
    (bit(17), "^ä ^ö"),
    // The task asks for thought rather than knowledge.
    (
        REASON,
        "prove proof proofs derive derivation deduce infer disprove step_by think_through think_carefully reason \
         reasoning analys* analyz* analis* análisis evaluate assess compare compar* contrast trade_offs tradeoff tradeoffs pros_and debug \
         diagnose troubleshoot refact* optimi* solve puzzle riddle paradox root_cause figure_out critique explain_why \
         justify why_does why_is how_would hypoth* strategy implications verify",
    ),
    (
        REASON,
        "beweise beweis beweisen herleiten leite_her schritt_für vergleiche vergleichen bewerte beurteile begründe \
         begründen warum_ist fehler_suche debugge löse lösen rätsel abwägen",
    ),
    (
        REASON,
        "prouve prouver démontre démontrer démontrez preuve déduire étape_par justifie justifier évaluer évalue \
         résoudre résous résolvez énigme débogue déboguer pourquoi_est",
    ),
    (
        REASON,
        "demuestra demostrar demuestre prueba_que paso_a justifica evalúa evaluar resuelve resolver acertijo depura \
         depurar razona por_qué_es",
    ),
    (
        REASON,
        "prove_que demonstre demonstrar passo_a avalie resolva justifique enigma depure raciocine dimostra dimostrare \
         dimostri passo_dopo confronta confrontare valuta risolvi risolvere giustifica ragiona",
    ),
    (
        REASON,
        "bewijs bewijzen stap_voor vergelijk beredeneer los_op udowodnij dowód krok_po porównaj przeanalizuj rozwiąż \
         uzasadnij kanıtla ispatla adım_adım karşılaştır analiz_et çöz buktikan langkah_demi bandingkan selesaikan",
    ),
    (
        REASON,
        "докажи докажите доказать доказательство выведи шаг_за пошагово сравни сравните сравнить проанализируй \
         проанализируйте анализ реши решите решить обоснуй оптими* отладь отладка доведи порівняй",
    ),
    (
        REASON,
        "证明 推导 分析 比较 对比 优化 调试 重构 推理 论证 求解 解决 评估 證明 推導 比較 優化 除錯 証明 最適 導出 考察 評価 解け 증명 비교 분석 최적 추론 평가 디버 해결",
    ),
    (REASON, "chứng_minh từng_bước so_sánh phân_tích giải_thích_tại أثبت قارن حلل اشرح_لماذا सिद्ध तुलना विश्लेषण"),
    // Something is to be made that has parts which must fit.
    (
        BUILD,
        "implement implem* design architect architecture schema algorithm program script app application website \
         system framework pipeline function class module api compiler parser simulate simula* model prototype plan \
         roadmap essay report proposal dataset deploy configure integrate migrate automate script",
    ),
    (
        BUILD,
        "implementiere entwirf entwickle programm funktion skript architektur conçois développe programme algorithme \
         fonction architecture implementa diseña desarrolla programa algoritmo función desenvolva projete função \
         sviluppa progetta funzione ontwerp ontwikkel zaprojektuj program funkcję algorytm tasarla geliştir programı \
         rancang buatkan_program",
    ),
    (
        BUILD,
        "реализуй реализуйте разработай разработайте спроектируй программу функцию алгоритм скрипт 实现 设计 算法 程序 代码 函数 \
         编写 架构 實現 設計 演算 程式 実装 関数 作成 構築 구현 설계 알고 코드 함수 작성 프로 thiết_kế chương_trình thuật_toán",
    ),
    // A constraint the answer is held to.
    (
        RULE,
        "must should exactly least most only without avoid ensure each every unless except include including require \
         requires required constraint constraints requirements requirement limit given assume consider following both \
         support supports handle handles",
    ),
    (
        RULE,
        "muss müssen soll sollte genau mindestens höchstens nur ohne jede jeder doit doivent exactement moins \
         seulement sans chaque debe deben exactamente menos solo sin cada deve devem exatamente apenas sem devono \
         esattamente solo senza ogni moet precies zonder musi dokładnie tylko bez każdy должен должна должны ровно \
         только без каждый 必须 不能 至少 要求 假设 必須 条件 最大 最小 반드 조건",
    ),
    // A language, tool or notion of programming.
    (
        CODE,
        "python javascript typescript java rust golang kotlin swift sql mysql postgres postgresql sqlite \
         mongodb redis html css php ruby perl bash powershell matlab verilog vba lua haskell scala cuda opengl docker \
         kubernetes terraform aws azure gcp linux nginx git github regex json xml yaml csv http https api apis rest \
         graphql react angular vue django flask fastapi spring node nodejs npm numpy pandas pytorch tensorflow keras \
         opencv code codes coding codebase compile compiler runtime exception thread threads mutex await array \
         arrays pointer pointers struct loop recursion recursive function functions method class classes variable \
         variables database query queries server backend frontend endpoint unittest arduino unity shader kernel \
         buffer socket async",
    ),
    // Mathematics, physics, statistics.
    (
        MATH,
        "theorem lemma integral integrals integrate derivative derivatives differential equation equations matrix \
         matrices eigenvalue eigenvalues eigenvector vector vectors polynomial prime primes modulo probability expected variance distribution \
         logarithm sine cosine tangent triangle circle sphere radius polygon angle angles area volume geometry \
         algebra calculus topology limit converge converges convergence sum product integer integers rational \
         irrational factorial permutation combinations combinatorics graph velocity acceleration force momentum \
         voltage circuit frequency entropy quantum calculate compute formula inequality solve maximum minimum percent \
         percentage ratio fourier laplace bayes regression optimization",
    ),
    (
        MATH,
        "satz gleichung wahrscheinlichkeit ableitung dreieck berechne berechnen primzahl théorème équation \
         probabilité dérivée intégrale calcule calculer calculez nombre_premier teorema ecuación probabilidad \
         derivada calcula calcular equação probabilidade integrale equazione probabilità calcola вычисли вычислите \
         найдите уравнение вероятность интеграл производная теорема треугольник 计算 方程 概率 积分 函数 矩阵 求证 三角 導数 積分 確率 方程 \
         計算 求め 확률 적분 방정 계산 미분 tính xác_suất phương_trình obliczyć oblicz równanie hesapla olasılık denklem hitung \
         peluang persamaan",
    ),
    // A task that small models do well.
    (
        SIMPLE,
        "translate translation summarize summarise summary tldr classify classification categorize categorise label \
         sentiment extract rephrase paraphrase proofread grammar spelling rewrite reword shorten synonym synonyms \
         antonym define definition list name capital convert format uppercase lowercase sort spell keyword keywords \
         title headline caption yes_or true_or correct fix_the recommend suggest recipe",
    ),
    (
        SIMPLE,
        "übersetze übersetzen übersetzung fasse_zusammen zusammenfassung klassifiziere extrahiere korrigiere \
         definiere traduis traduire traduisez traduction résume résumer résumez résumé classe extrais extraire \
         corrige traduce traducir traduzca traduzir traduza traduci traducción resume resumir resuma resumen \
         clasifica extrae extraer riassumi riassunto classifica estrai correggi traduzione vertaal samenvatten \
         vat_samen przetłumacz streść podsumuj çevir özetle terjemahkan ringkas rangkum",
    ),
    (
        SIMPLE,
        "переведи переведите перевод резюмируй кратко классифицируй извлеки переклади 翻译 总结 摘要 概括 分类 提取 改写 润色 翻譯 總結 \
         翻訳 要約 分類 抽出 번역 요약 분류 추출 dịch tóm_tắt ترجم لخص अनुवाद सारांश",
    ),
    // Pleasantries, where no task is set.
    (
        CHAT,
        "hi hello hey thanks thank goodbye bye morning evening ok okay yes no cool great sure please_introduce \
         your_name are_you who_are how_are tell_me about_you nice hallo danke tschüss guten ja nein bonjour merci \
         salut oui non hola gracias adiós buenos buenas olá obrigado obrigada ciao grazie buongiorno dzień_dobry \
         cześć dziękuję merhaba teşekkürler xin_chào cảm_ơn halo terima_kasih привет здравствуйте спасибо пока 你好 谢谢 \
         再见 您好 謝謝 今日 有难 안녕 감사 مرحبا شكرا नमस्ते धन्यवाद",
    ),
    // How questions of one fact begin.
    (
        FACT,
        "who when where which what_is what_was what's what_are how_many how_old how_tall how_far how_much how_long \
         what_year did_does is_the was_the does did is are was wer wann wo welche was_ist wie_viele wie_hoch qui \
         quand où quel quelle combien quién cuándo dónde cuál qué_es cuántos quem quando onde qual o_que chi dove \
         quanti wat_is wie_is kto kiedy gdzie kim nerede kaç siapa kapan di_mana berapa ai_là кто когда где сколько \
         какая какой какова 谁是 什么 哪里 哪个 多少 誰が いつ どこ 누구 언제 어디 얼마",
    ),
    // Something went wrong, and the trace of it is shown.
    (
        TRACE,
        "traceback exception stacktrace stack_trace segfault panicked typeerror valueerror keyerror attributeerror \
         referenceerror syntaxerror indexerror runtimeerror importerror nullpointerexception undefined errno",
    ),
]);
