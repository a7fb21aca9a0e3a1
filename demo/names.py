"""Names of the demo's businesses, customers and goods."""

FIRST_NAMES = (
    *("Abena", "Adjoa", "Afia", "Akosua", "Akua", "Ama", "Araba", "Efua", "Esi", "Yaa"),
    *("Kofi", "Kojo", "Kwabena", "Kwadwo", "Kwaku", "Kwame", "Kwasi", "Yaw", "Ebo", "Nii"),
    *("Naa", "Dede", "Mawuli", "Edem", "Selorm", "Dzifa", "Fuseini", "Mariama", "Rahinatu"),
)
LAST_NAMES = (
    *("Acheampong", "Adjei", "Agyeman", "Amankwah", "Ampofo", "Ansah", "Appiah", "Asante"),
    *("Boakye", "Boateng", "Danquah", "Darko", "Frimpong", "Gyasi", "Kusi", "Lamptey"),
    *("Mensah", "Nkrumah", "Nyarko", "Oduro", "Ofori", "Opoku", "Osei", "Owusu", "Quaye"),
    *("Sarpong", "Tetteh", "Wiredu", "Yeboah", "Amegashie", "Dogbe", "Iddrisu", "Alhassan"),
)
SHOPS = (
    *("Enterprise", "Textiles", "Fabrics", "Fashion House", "Boutique", "Stores", "Trading"),
    *("& Sons", "& Daughters", "Tailoring", "Kente Weavers", "Batik Works", "Linen Supply"),
)
TOWNS = (
    *("Makola, Accra", "Osu, Accra", "Madina, Accra", "Tema", "Kejetia, Kumasi", "Bonwire"),
    *("Takoradi", "Cape Coast", "Koforidua", "Ho", "Tamale", "Sunyani", "Bolgatanga", "Obuasi"),
)
STREETS = ("High Street", "Market Lane", "Station Road", "Ring Road", "Liberation Avenue")
CATEGORIES = ("Wholesale", "Retail shops", "Tailors", "Schools and churches", "Export")

CAFES = (
    *("Morgenrot", "Zum Anker", "Blaue Stunde", "Kiosk am Kanal", "Lindenhof", "Nordlicht"),
    *("Alte Post", "Hafenkante", "Sonnendeck", "Wintergarten", "Zur Brücke", "Schönhauser"),
)
